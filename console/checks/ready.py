"""What an installation needs before it can be checked: dependencies and configuration, quickly."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from console.checks.finding import Check
from console.looking.host import JOIN_GROUP, snapshot_of
from tasks.declared.layers import ROOT, stack_file
from tasks.declared.stack import Stack
from tasks.nvidia.checklist import checklist
from tasks.nvidia.look import look_at_nvidia
from tasks.nvidia.verdict import requiring
from tasks.shell.local import LocalShell

LOCKS = ("requirements.lock", "requirements-dev.lock")


def findings(stack: Stack, *, is_here: bool) -> Iterator[Check]:
    """Look for what is needed here; of a stack on another host only what this machine has to do."""
    yield Check("Python", True, f"{platform.python_version()} at {sys.executable}")
    yield packages(ROOT)
    names = ", ".join(service.name for service in stack.services)
    source = stack_file() if stack_file().exists() else "group_data/all.py alone"
    yield Check("declaration", True, f"valid: {names} ({source})")
    if not is_here:
        return
    curl = shutil.which("curl")
    yield Check(
        "curl", bool(curl), curl or "not installed", "" if curl else "sudo apt-get install curl"
    )
    yield docker(stack)
    if requiring(stack):
        yield gpu(stack)


def packages(root: Path) -> Check:
    """Tell whether .venv holds what a lock file names: main.sh writes its checksum down there."""
    for name in LOCKS:
        stamp = root / ".venv" / f".installed-{name}"
        wanted = hashlib.sha256((root / name).read_bytes()).hexdigest()
        if stamp.is_file() and stamp.read_text().split()[:1] == [wanted]:
            return Check("Python packages", True, f"as in {name}")
    finding = "not known to be those of requirements.lock"
    return Check("Python packages", False, finding, "./main.sh ensure-venv")


def docker(stack: Stack) -> Check:
    """Tell whether the engine answers this user."""
    snapshot, trouble = snapshot_of(stack)
    if trouble is not None:
        return Check("Docker Engine", False, trouble.cause, trouble.remedy)
    if not os.access(stack.docker_socket, os.R_OK | os.W_OK):
        finding = f"{snapshot.version} answers root alone; this user is not in the group docker"
        return Check("Docker Engine", False, finding, JOIN_GROUP)
    return Check("Docker Engine", True, f"{snapshot.version} answers this user")


def gpu(stack: Stack) -> Check:
    """Name the first thing that keeps models off the GPU that the declaration requires."""
    found = checklist(look_at_nvidia(LocalShell()), stack)
    for item in found:
        if item.verdict == "fault":
            return Check("GPU", False, f"{item.name}: {item.finding}", item.remedy)
    return Check("GPU", True, found[0].finding)
