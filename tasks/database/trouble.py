"""What keeps a database from being written, and what a person can do about it."""

from __future__ import annotations

import sqlite3

# What is no fault of the file, by SQLite's code, with its remedy.
_IN_USE = "another program holds it (sudo fuser -v {path} names it): end that, then run again"
_RIGHTS = "mend the rights of the file and its folder, then run again"
TROUBLE = {
    sqlite3.SQLITE_BUSY: _IN_USE,
    sqlite3.SQLITE_LOCKED: _IN_USE,
    sqlite3.SQLITE_READONLY: _RIGHTS,
    sqlite3.SQLITE_PERM: _RIGHTS,
    sqlite3.SQLITE_CANTOPEN: _RIGHTS,
    sqlite3.SQLITE_FULL: "free some space on its disk (df -h tells how much there is), run again",
    sqlite3.SQLITE_IOERR: "see what the kernel says of its disk (sudo dmesg), then run again",
    sqlite3.SQLITE_NOMEM: "end what takes the memory, then run again",
}


class DatabaseError(Exception):
    """The database could not be written; the message tells cause and remedy."""


def code_of(error: sqlite3.Error) -> int:
    """Return SQLite's code of an error, without its details; Python's own errors have none."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
