"""The lab's own commands, for tests: one at a time."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stack.installation import ROOT


@contextmanager
def taken(name: str) -> Iterator[None]:
    """Hold something of the lab that others of this user's test processes wait for."""
    path = Path(tempfile.gettempdir()) / f"ollama-stack-tests.{os.getuid()}.{name}"
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def lab_command(*words: str) -> None:
    """Run a command of the lab; another process that runs one waits for it."""
    with taken("commands"):
        subprocess.run([sys.executable, "-m", "lab", *words], cwd=ROOT, check=True)
