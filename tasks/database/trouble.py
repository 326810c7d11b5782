"""What keeps a database from being written, by SQLite's code."""

from __future__ import annotations

import sqlite3

from tasks.database import messages
from tasks.words.failures import Failed

# What is no fault of the file, with its remedy, which a path fills in.
TROUBLE = {
    sqlite3.SQLITE_BUSY: messages.END_OTHER,
    sqlite3.SQLITE_LOCKED: messages.END_OTHER,
    sqlite3.SQLITE_READONLY: messages.MEND_RIGHTS,
    sqlite3.SQLITE_PERM: messages.MEND_RIGHTS,
    sqlite3.SQLITE_CANTOPEN: messages.MEND_RIGHTS,
    sqlite3.SQLITE_FULL: messages.FREE_SPACE,
    sqlite3.SQLITE_IOERR: messages.SEE_KERNEL,
    sqlite3.SQLITE_NOMEM: messages.FREE_MEMORY,
}


class DatabaseError(Failed):
    """The database could not be written."""

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}"


def code_of(error: sqlite3.Error) -> int:
    """Return SQLite's code of an error, without its details; Python's own errors have none."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
