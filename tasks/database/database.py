"""The database file: compared first, written only where a row differs, in one transaction.

Reading uses the standard library, so that a run that changes nothing does not pay for the import
of sqlite-utils; every write goes through sqlite-utils.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.database import messages
from tasks.database.aside import identity, set_aside
from tasks.database.differences import differences
from tasks.database.rows import KEYS, SCHEMA, SCHEMA_VERSION, Inventory, Row, storable
from tasks.database.schema import foreign, is_table
from tasks.database.trouble import TROUBLE, DatabaseError, code_of
from tasks.files.atomic import give_to_owner, make_folder, target
from tasks.words.printable import printable

__all__ = ["DatabaseError", "is_locked", "is_up_to_date", "record", "rows_of", "unusable"]
# Seconds to wait for other writers.
BUSY_SECONDS = 10
STAMP = "last_updated"
# Files that are set aside, one after the other, before a run gives up.
TRIES = 3


class _Refused(Exception):
    """The file's tables are not ours, or do not keep what we write; the text says how."""


def record(path: Path, inventory: Inventory) -> list[str]:
    """Bring the rows of one host up to date. Returns notes for the person, mostly none.

    A file that is damaged, read-only, of a newer schema or with tables that do not take our rows
    is set aside under a name of its own and built anew from what runs. Raises DatabaseError when
    other writers never let go, or the folder cannot be written.
    """
    path = target(path)
    notes: list[str] = []
    try:
        if path.exists() and not path.is_file():
            raise DatabaseError(messages.NO_FILE(path=str(path)), messages.OTHER_PATH())
        if is_up_to_date(path, inventory):
            return notes
        for _ in range(TRIES):
            judged = identity(path)
            reason = unusable(path) or _written(path, inventory)
            if not reason:
                return notes
            # Another run may have set it aside meanwhile: the new one is not this one.
            if judged is not None and identity(path) == judged:
                notes.append(set_aside(path, reason))
    except OSError as error:
        words = str(error.strerror or error)
        cause = messages.NOT_WRITABLE(path=str(path), words=words)
        raise DatabaseError(cause, messages.MEND_FOLDER()) from None
    cause = messages.ROWS_REFUSED(path=str(path), reason=reason)
    raise DatabaseError(cause, messages.SEE_WHO(path=str(path)))


def _written(path: Path, inventory: Inventory) -> str:
    """Write; return why the file refuses our rows, "" where it took them. Raises DatabaseError."""
    try:
        with closing(_open(path)) as connection:
            _write(connection, inventory)
    except _Refused as error:
        return str(error)
    except sqlite3.Error as error:
        words = printable(error, 200).replace(";", ",")
        remedy = TROUBLE.get(code_of(error))
        if remedy is not None:
            cause = messages.NOT_WRITABLE(path=str(path), words=words)
            raise DatabaseError(cause, remedy(path=str(path))) from None
        return f"refuses our rows: {words}"
    return ""


def is_up_to_date(path: Path, inventory: Inventory) -> bool:
    """Tell whether every row is there already and there is nothing to add."""
    if inventory.events or not path.exists():
        return False
    try:
        with _reading(path) as connection:
            return (
                _version(connection) == SCHEMA_VERSION
                and not _damage(connection)
                and not any(True for _ in differences(connection, inventory))
            )
    except sqlite3.Error:
        return False


def rows_of(path: Path, table: str) -> list[Row]:
    """Return all rows of a table; none where the file is missing or not readable."""
    if not path.exists():
        return []
    try:
        with _reading(path) as connection:
            # A view would run another program's code, and lack what readers rely on.
            if not is_table(connection, table):
                return []
            rows = connection.execute(f"SELECT * FROM [{table}]")
            return [{k: _plain(v) for k, v in dict(row).items()} for row in rows]
    except (sqlite3.Error, UnicodeError):
        return []


def unusable(path: Path) -> str:
    """Return why a file cannot be gone on with; "" where it can, or where there is none."""
    if not path.exists():
        return ""
    try:
        with closing(_open(path)) as connection:
            version = _version(connection)
            if version > SCHEMA_VERSION:
                return f"newer schema {version}"
            damage = _damage(connection)
            if damage:
                return damage
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.DatabaseError as error:
        code = code_of(error)
        if code == sqlite3.SQLITE_READONLY:
            return "read-only"
        # Who cannot open it, or waits for another writer, says nothing about the file.
        return "" if code in TROUBLE else f"damaged: {printable(error, 200)}"
    return ""


def _damage(connection: sqlite3.Connection) -> str:
    """Return what is wrong with the file, or with the tables that have our names."""
    if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
        return "damaged"
    return foreign(connection)


def is_locked(path: Path) -> bool:
    """Tell whether another program writes into the file at this moment."""
    if not path.is_file():
        return False
    uri = f"{path.absolute().as_uri()}?mode=rw"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=0.1, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            other.execute("ROLLBACK")
    except sqlite3.Error as error:
        return code_of(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
    return False


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        # Made by root, it would be nobody else's to write; what SQLite adds takes its owner.
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        give_to_owner(descriptor, path.parent)
        os.close(descriptor)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    connection.text_factory = _text
    return connection


def _text(content: bytes) -> str:
    """Read a text, whatever another program wrote there."""
    return content.decode(errors="replace")


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        yield connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _write(connection: sqlite3.Connection, inventory: Inventory) -> None:
    from sqlite_utils import Database  # noqa: PLC0415 (a quarter of a second)

    # Begin immediate: a deferred reader that turns into a writer fails at once when busy.
    connection.execute("BEGIN IMMEDIATE")
    try:
        # As it is now that nobody else can change it.
        _refuse(foreign(connection))
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.row_factory = sqlite3.Row
        changes = list(differences(connection, inventory))
        connection.row_factory = None
        database = Database(connection)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for table, row, keys in changes:
            if row is None:
                # "IS": a key of another program may be NULL.
                where = " AND ".join(f"[{key}] IS ?" for key in KEYS[table])
                database.table(table).delete_where(where, keys)
            else:
                database.table(table).upsert({**row, STAMP: now}, pk=KEYS[table])
        if inventory.events:
            database.table("events").insert_all(map(storable, inventory.events))
        connection.row_factory = sqlite3.Row
        if any(True for _ in differences(connection, inventory)):
            _refuse("does not keep our rows: what was written is not what is there")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _refuse(reason: str) -> None:
    if reason:
        raise _Refused(reason)
