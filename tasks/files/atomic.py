"""Files on the machine that runs this: written as a whole, left to their owners, never half there.

Whoever runs a command, root by sudo or a user, leaves each file to the owner and the mode that it
had; a new one belongs to the owner of its folder, where root makes it. A link stays a link: the
file that it leads to is written.
"""

from __future__ import annotations

import errno
import fcntl
import os
import pwd
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

HALF = ".part"
# Older versions wrote no such end; a date or a word there is a person's own copy.
_RANDOM = rf"(?:[a-z0-9_]{{8}}{re.escape(HALF)}|(?!\d+$|[a-z]+$)[a-z0-9_]{{8}})"
_ANY = re.compile(rf"\..+\.[a-z0-9_]{{8}}{re.escape(HALF)}")
PRIVATE = 0o600


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that whoever reads it sees the old or the new content, never a part.

    A file that is there keeps its owner and its mode; `mode` is that of a new one. Raises OSError,
    also where the file would become another's, or what is there is no file.
    """
    path = target(path)
    make_folder(path.parent)
    remove_leftovers_beside(path)
    with temporary(path.parent, _prefix(path)) as (descriptor, name):
        _as_it_was(descriptor, path, mode)
        with os.fdopen(os.dup(descriptor), "w", encoding="utf-8") as file:
            file.write(text)
        os.fsync(descriptor)
        os.replace(name, path)


def target(path: Path) -> Path:
    """Return the file that a path leads to, through all links."""
    return Path(os.path.realpath(path))


def make_folder(folder: Path) -> None:
    """Make a folder with its parents; each belongs to the owner of the one above it."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir()
            if os.geteuid() == 0:
                above = path.parent.stat()
                os.chown(path, above.st_uid, above.st_gid)


def give_to_owner(descriptor: int, folder: Path) -> None:
    """Leave a new file to the owner of its folder; only root can make it another's."""
    owner, held = folder.stat(), os.fstat(descriptor)
    if os.geteuid() == 0 and owner.st_uid != held.st_uid:
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


@contextmanager
def temporary(folder: Path, prefix: str) -> Iterator[tuple[int, str]]:
    """Make a file, its owner's alone, that is gone afterwards unless it was renamed.

    It is locked for as long as it is written: what nobody holds was left by a killed process.
    """
    descriptor, name = _made(folder, prefix)
    try:
        yield descriptor, name
    finally:
        with suppress(FileNotFoundError):
            # Renamed, its name is free and may be another's by now.
            if os.path.samestat(os.stat(name), os.fstat(descriptor)):
                os.unlink(name)
        os.close(descriptor)


def _made(folder: Path, prefix: str) -> tuple[int, str]:
    while True:
        descriptor, name = tempfile.mkstemp(dir=folder, prefix=prefix, suffix=HALF)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Who tidied up between these two lines took it for a leftover.
        if os.fstat(descriptor).st_nlink:
            return descriptor, name
        os.close(descriptor)


def remove_leftovers_beside(path: Path) -> None:
    """Remove what killed processes left half-written of a file, and look at no other."""
    path = target(path)
    remove_leftovers(path.parent, _prefix(path))


def remove_leftovers(folder: Path, prefix: str = ".") -> None:
    """Remove the temporary files of killed processes; what somebody still writes stays.

    They may hold secrets, and nobody else ever looks for them. A mere "." means those of all files.
    """
    pattern = _ANY if prefix == "." else re.compile(re.escape(prefix) + _RANDOM)
    with suppress(OSError):
        for entry in sorted(folder.iterdir()):
            if pattern.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_left(entry)


def _prefix(path: Path) -> str:
    return f".{path.name}."


def _remove_if_left(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        held = os.fstat(descriptor)
        if not stat.S_ISREG(held.st_mode) or held.st_nlink != 1:
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(descriptor)


def _as_it_was(descriptor: int, path: Path, mode: int) -> None:
    """Give what is about to take a file's place its owner and mode."""
    try:
        old = path.stat()
    except FileNotFoundError:
        give_to_owner(descriptor, path.parent)
        os.fchmod(descriptor, mode)
        return
    if not stat.S_ISREG(old.st_mode):
        raise OSError(errno.EINVAL, "it is there and is no file", str(path))
    new = os.fstat(descriptor)
    if old.st_uid != new.st_uid and os.geteuid() != 0:
        owner = user_name(old.st_uid)
        raise OSError(errno.EPERM, f"it belongs to {owner}: run this as {owner}", str(path))
    if old.st_uid != new.st_uid:
        os.fchown(descriptor, old.st_uid, old.st_gid)
    elif old.st_gid != new.st_gid:
        # A group that one is not in cannot be given; then it is nobody's but the owner's group.
        with suppress(PermissionError):
            os.fchown(descriptor, -1, old.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & 0o777)


def user_name(uid: int) -> str:
    """Name a user."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"UID {uid}"
