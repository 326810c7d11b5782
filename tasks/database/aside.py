"""A database file that cannot be gone on with, kept under a name of its own."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

from tasks.database import messages
from tasks.database.trouble import DatabaseError


def set_aside(path: Path, reason: str) -> str:
    """Rename a file, and never over another one; returns a note. Raises DatabaseError."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    word = reason.partition(":")[0].replace(" ", "-")
    kept = path.with_name(f"{path.name}.{word}-{stamp}")
    number = 1
    while os.path.lexists(kept):
        number += 1
        kept = path.with_name(f"{path.name}.{word}-{stamp}-{number}")
    try:
        path.rename(kept)
        for suffix in ("-wal", "-shm", "-journal"):
            side = path.with_name(path.name + suffix)
            if side.exists():
                side.rename(kept.with_name(kept.name + suffix))
    except OSError as error:
        cause = messages.STAYS(path=str(path), reason=reason, words=str(error.strerror))
        raise DatabaseError(cause, messages.MOVE_AWAY()) from None
    return f"{path.name} was unusable ({reason}): it is kept as {kept.name}, a new one is built"


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another one of the same name; None where there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
