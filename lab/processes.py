"""Long-lived programs of the lab: each writes its own pid file before it begins.

A pid is only trusted while the program's command line still names a file of this lab.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab.errors import LabError
from lab.paths import made_state_folder, state_folder
from lab.shell import as_root

# The shell writes the pid and becomes the program: no moment without a record.
_LAUNCH = 'echo $$ >"$0" && exec "$@"'


@dataclass(frozen=True)
class Program:
    """A program, the command that runs it, and a word of the command that only this lab has."""

    name: str
    command: tuple[str, ...]
    mark: str
    needs_root: bool = False

    @property
    def pid_file(self) -> Path:
        """The file that the program's own shell writes."""
        return state_folder() / "run" / f"{self.name}.pid"

    @property
    def log(self) -> Path:
        """The file of its output."""
        return state_folder() / "log" / f"{self.name}.log"


def pid_of(program: Program) -> int | None:
    """Return the pid of a program that runs, None where it does not."""
    try:
        pid = int(program.pid_file.read_text())
    except (OSError, ValueError):
        return None
    return pid if program.mark in command_line(pid) else None


def command_line(pid: int) -> list[str]:
    """Return the command line of a process; empty where there is none, or only its remains."""
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    # nginx writes its title as one word, with spaces in it.
    return raw.decode(errors="replace").replace("\0", " ").split()


def start(program: Program, environment: Mapping[str, str] | None = None) -> None:
    """Start a program in a session of its own, its output in its log."""
    made_state_folder("run")
    made_state_folder("log")
    command: Sequence[str] = ["sh", "-c", _LAUNCH, str(program.pid_file), *program.command]
    if program.needs_root:
        command = as_root(command)
    with program.log.open("ab") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, **(environment or {})},
        )


def wait_until(is_ready: Callable[[], bool], program: Program, seconds: float) -> None:
    """Wait for a program to be ready; its end or the limit raises with its last lines."""
    limit = time.monotonic() + seconds
    born = time.monotonic() + 1
    while not is_ready():
        has_ended = time.monotonic() > born and pid_of(program) is None
        if has_ended or time.monotonic() > limit:
            what = "ended at once" if has_ended else f"is not ready after {seconds:.0f} s"
            raise LabError(f"{program.name} {what}: {_last(program.log)}", f"see {program.log}")
        time.sleep(0.05)


def stop(program: Program, seconds: float = 15) -> bool:
    """Stop a program if it runs and is the lab's; tell whether it ran."""
    pid = pid_of(program)
    if pid is None:
        _end_orphans(program)
        program.pid_file.unlink(missing_ok=True)
        return False
    for number in (signal.SIGTERM, signal.SIGKILL):
        send(pid, number)
        limit = time.monotonic() + seconds
        while pid_of(program) is not None and time.monotonic() < limit:
            _reap(pid)
            time.sleep(0.05)
        if pid_of(program) is None:
            break
    _end_orphans(program)
    program.pid_file.unlink(missing_ok=True)
    return True


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal, with sudo where the process is root's and we are not."""
    try:
        os.kill(pid, number)
    except PermissionError:
        subprocess.run(as_root(["kill", f"-{number.value}", str(pid)]), timeout=10, check=False)
    except ProcessLookupError:
        return


def _end_orphans(program: Program) -> None:
    """End the children that a killed program left: nginx's workers would keep its ports.

    They are of the session that it began, and run the same file.
    """
    try:
        session = int(program.pid_file.read_text())
    except (OSError, ValueError):
        return
    if not program.command or command_line(session):
        return
    binary = os.path.realpath(program.command[0])
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = os.getsid(int(entry.name)) == session and os.readlink(entry / "exe") == binary
        except OSError:
            continue
        if is_ours:
            send(int(entry.name), signal.SIGKILL)


def _reap(pid: int) -> None:
    try:
        os.waitpid(pid, os.WNOHANG)
    except (ChildProcessError, OSError):
        return


def _last(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").strip().splitlines()
    except OSError:
        return "no log"
    return lines[-1][-400:] if lines else "no output"
