"""One command at a time changes the lab, or a front of it."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from lab import fronts
from lab.errors import LabError
from lab.paths import state_folder


@contextmanager
def locked(seconds: float = 0, *, name: str = "lock") -> Iterator[None]:
    """Let one command at a time change the lab; another one waits, then says who works."""
    folder = state_folder()
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(descriptor, seconds)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def front_locked(seconds: float) -> AbstractContextManager[None]:
    """Let one command at a time change this process's front of the registries."""
    return locked(seconds, name=fronts.called("lock"))


def _take(descriptor: int, seconds: float) -> None:
    limit = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() < limit:
                time.sleep(0.1)
                continue
            holder = os.pread(descriptor, 20, 0).decode().strip() or "unknown"
            raise LabError(
                f"the lab is being changed by process {holder}", "wait for it, then run again"
            ) from None
