"""This machine, looked at for the console: the same look as the converge's, by a local shell."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path

from console.words.trouble import Trouble
from tasks.containers.look import look
from tasks.containers.observed import Snapshot
from tasks.declared.layers import local_layers, rooted
from tasks.declared.stack import Stack, declare
from tasks.records.lockfile import LockError, LockFile
from tasks.shell.local import LocalShell
from tasks.words.steps import LOCAL

JOIN_GROUP = "sudo usermod -aG docker $USER, then log in again (or newgrp docker)"
# From the root: -m takes the folder where it is started.
PYINFRA = (sys.executable, "-m", "console.run_pyinfra")


@dataclass(frozen=True)
class SeenHost:
    """One host as it is now; `trouble` is there exactly where nobody could look.

    `stack` is None where its declaration is not known either, since nobody reached it.
    """

    name: str
    stack: Stack | None = None
    snapshot: Snapshot = field(default_factory=Snapshot)
    lock: LockFile | None = None
    lock_fault: str = ""
    trouble: Trouble | None = None


def this_machine() -> SeenHost:
    """Look at this machine. Raises DeclarationError."""
    stack = declared()
    snapshot, trouble = snapshot_of(stack)
    return SeenHost(LOCAL, stack, snapshot, *lock_and_words(stack), trouble)


def declared() -> Stack:
    """Return the declaration of this machine. Raises DeclarationError."""
    return declare(local_layers())


def read_lock(stack: Stack) -> tuple[LockFile | None, LockError | None]:
    """Return the lock, or None and why it cannot be read."""
    try:
        return LockFile.load(rooted(stack.lock)), None
    except LockError as error:
        return None, error


def lock_and_words(stack: Stack) -> tuple[LockFile | None, str]:
    """Return the lock, or None and what people are told of why it cannot be read."""
    lock, fault = read_lock(stack)
    return lock, str(fault or "")


def lock_of(stack: Stack) -> LockFile | None:
    """Return the lock; None where it cannot be read, which status and doctor tell."""
    return read_lock(stack)[0]


def snapshot_of(stack: Stack) -> tuple[Snapshot, Trouble | None]:
    """Look at this machine. The trouble is there exactly where the engine is not."""
    snapshot = look(shell_for(stack.docker_socket), stack)
    if snapshot.version:
        return snapshot, None
    trouble = engine_trouble(stack.docker_socket)
    if Path(stack.docker_socket).exists() and "" in snapshot.unknown:
        return snapshot, Trouble(f"{trouble.cause}: {snapshot.unknown['']}", trouble.remedy)
    return snapshot, trouble


def shell_for(socket: str) -> LocalShell:
    """Return the shell to look by: with sudo for a user who may not use Docker and may use sudo."""
    is_refused = Path(socket).exists() and not os.access(socket, os.R_OK | os.W_OK)
    return LocalShell(sudo=is_refused and LocalShell().sh("sudo -n true").ok)


def engine_trouble(socket: str) -> Trouble:
    """Say why nobody answers at the engine's socket."""
    if not Path(socket).exists():
        return Trouble(
            f"Docker is not running here: there is no {socket}",
            "sudo systemctl start docker; or ./main.sh setup, where it was never installed",
        )
    if not os.access(socket, os.R_OK | os.W_OK):
        return Trouble(
            f"this user may not use Docker ({socket})",
            JOIN_GROUP,
        )
    return Trouble(
        f"Docker does not answer at {socket}",
        "systemctl status docker and journalctl -u docker tell why; curl has to be installed",
    )
