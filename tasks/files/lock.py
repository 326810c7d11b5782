"""One writer at a time: a lock file of its own, that its owner alone can open.

flock(2) locks a file that is open for writing on NFS as well, where a folder, or what is open for
reading only, cannot be locked. With mode 0600 nobody who may only read can hold it. It ends with
its holder, whatever ends that; its content is only ever shown.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from tasks.files.atomic import PRIVATE, give_to_owner, user_name
from tasks.words.printable import printable

# Seconds between two tries.
ASK_AGAIN = 0.01
LONGEST_NAME = 1000
NOBODY = "a process that did not say who it is"


class HeldError(Exception):
    """Somebody else has the lock; the text says who."""


@contextmanager
def only_one(path: Path, what: str, wait: float = 0) -> Iterator[None]:
    """Be the only one that holds a lock file; `what` tells the others what this does.

    Others are hosts of this process as well: a greenlet that waited for the kernel would keep the
    one that holds the lock from ever going on. So it asks again and again, for `wait` seconds.
    Raises HeldError, and OSError where the file cannot be opened.
    """
    descriptor = _opened(path)
    try:
        if not take(descriptor, wait):
            raise HeldError(_said(descriptor) or holder(descriptor))
        now = datetime.now().astimezone().isoformat(" ", "seconds")
        who = f"{what} (PID {os.getpid()} of {user_name(os.geteuid())}), since {now}"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, who.encode(errors="replace")[:LONGEST_NAME], 0)
        yield
    finally:
        os.close(descriptor)


def take(descriptor: int, wait: float = 0) -> bool:
    """Lock a file that is open for writing; returns False where another has it after `wait`."""
    limit = time.monotonic() + wait
    while not _is_taken(descriptor):
        if time.monotonic() >= limit:
            return False
        time.sleep(ASK_AGAIN)
    return True


def _is_taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _opened(path: Path) -> int:
    """Open a lock file, made where it is missing; it belongs to the owner of its folder."""
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(path, flags, PRIVATE)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(errno.ELOOP, "it is a link, and a lock is a file", str(path)) from None
        raise
    try:
        held = os.fstat(descriptor)
        if not stat.S_ISREG(held.st_mode):
            raise OSError(errno.EINVAL, "it is there and is no file", str(path))
        give_to_owner(descriptor, path.parent)
        if stat.S_IMODE(held.st_mode) != PRIVATE:
            # Whoever can read it could hold it.
            os.fchmod(descriptor, PRIVATE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _said(descriptor: int) -> str:
    return printable(os.pread(descriptor, LONGEST_NAME, 0).decode(errors="replace"))


def holder(descriptor: int) -> str:
    """Name who holds the lock of an open file, as the kernel tells. Source: proc_locks(5)."""
    held = os.fstat(descriptor)
    file = f"{os.major(held.st_dev):02x}:{os.minor(held.st_dev):02x}:{held.st_ino}"
    with suppress(OSError):
        for words in map(str.split, Path("/proc/locks").read_text().splitlines()):
            if words[1] == "FLOCK" and words[5] == file:
                name = Path(f"/proc/{words[4]}/comm").read_text().strip()
                return printable(f"PID {words[4]} ({name})")
    return NOBODY
