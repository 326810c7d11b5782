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

from tasks.files import give_to_owner, make_folder, target
from tasks.inventory.rows import KEYS, LOCAL, SCHEMA, SCHEMA_VERSION, Inventory, Row

# Seconds to wait for other writers.
BUSY_SECONDS = 10
STAMP = "last_updated"


class DatabaseError(Exception):
    """The database could not be written; the message tells cause and remedy."""


def record(path: Path, inventory: Inventory) -> list[str]:
    """Bring the rows of one host up to date. Returns notes for the person, mostly none.

    A file that is damaged, read-only or of a newer schema is set aside under a name of its own
    and built anew from what runs. Raises DatabaseError when other writers never let go, or the
    folder cannot be written.
    """
    path = target(path)
    if path.exists() and not path.is_file():
        raise DatabaseError(f"{path} is no file; declare another path for the database")
    if is_up_to_date(path, inventory):
        return []
    notes = []
    reason = unusable(path)
    if reason:
        notes.append(_set_aside(path, reason))
    try:
        with closing(_open(path)) as connection:
            _write(connection, inventory)
    except (sqlite3.Error, OSError) as error:
        raise DatabaseError(
            f"{path} cannot be written ({error}): another program holds it, or its folder is not"
            " yours; end that program or mend the folder's rights, then run again"
        ) from None
    return notes


def is_up_to_date(path: Path, inventory: Inventory) -> bool:
    """Tell whether every row is there already and there is nothing to add."""
    if inventory.events or not path.exists():
        return False
    try:
        with _reading(path) as connection:
            return _version(connection) == SCHEMA_VERSION and not any(
                True for _ in _differences(connection, inventory)
            )
    except sqlite3.Error:
        return False


def rows_of(path: Path, table: str) -> list[Row]:
    """Return all rows of a table; none where the file is missing or not readable."""
    if not path.exists():
        return []
    try:
        with _reading(path) as connection:
            return [dict(row) for row in connection.execute(f"SELECT * FROM [{table}]")]
    except sqlite3.Error:
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
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                return "damaged"
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
            tables = {
                n: [c[1] for c in connection.execute(f"PRAGMA table_info({n})")] for n in KEYS
            }
    except sqlite3.DatabaseError as error:
        if "locked" in str(error) or "busy" in str(error):
            return ""
        return "read-only" if "readonly" in str(error) else f"damaged: {error}"
    return "" if _has_columns(tables) else "tables of another program"


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
        return "locked" in str(error)
    return False


def _has_columns(tables: dict[str, list[str]]) -> bool:
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(SCHEMA)
        return all(
            not columns or {c[1] for c in model.execute(f"PRAGMA table_info({n})")} <= set(columns)
            for n, columns in tables.items()
        )


def _set_aside(path: Path, reason: str) -> str:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    word = reason.partition(":")[0].replace(" ", "-")
    kept = path.with_name(f"{path.name}.{word}-{stamp}")
    try:
        path.rename(kept)
        for suffix in ("-wal", "-shm", "-journal"):
            side = path.with_name(path.name + suffix)
            if side.exists():
                side.rename(kept.with_name(kept.name + suffix))
    except OSError as error:
        raise DatabaseError(
            f"{path} is unusable ({reason}) and cannot be set aside ({error.strerror}):"
            " move it away by hand and run again"
        ) from None
    return f"{path.name} was unusable ({reason}): it is kept as {kept.name}, a new one is built"


def _open(path: Path) -> sqlite3.Connection:
    if not path.exists():
        # Made by root, it would be nobody else's to write; what SQLite adds takes its owner.
        make_folder(path.parent)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        give_to_owner(descriptor, path.parent)
        os.close(descriptor)
    return sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)


@contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    uri = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
        connection.row_factory = sqlite3.Row
        yield connection


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _write(connection: sqlite3.Connection, inventory: Inventory) -> None:
    from sqlite_utils import Database  # noqa: PLC0415 (a quarter of a second)

    # Begin immediate: a deferred reader that turns into a writer fails at once when busy.
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in SCHEMA.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.row_factory = sqlite3.Row
        changes = list(_differences(connection, inventory))
        connection.row_factory = None
        database = Database(connection)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        for table, row, keys in changes:
            if row is None:
                database.table(table).delete(keys if len(keys) > 1 else keys[0])
            else:
                database.table(table).upsert({**row, STAMP: now}, pk=KEYS[table])
        if inventory.events:
            database.table("events").insert_all(inventory.events)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _differences(
    connection: sqlite3.Connection, inventory: Inventory
) -> Iterator[tuple[str, Row | None, tuple[Any, ...]]]:
    """Yield each row to write, and (as None) each row of this host that is no more."""
    for table, keys in KEYS.items():
        there = {
            tuple(row[key] for key in keys): dict(row)
            for row in connection.execute(f"SELECT * FROM [{table}]")
        }
        wanted = {tuple(r[key] for key in keys): r for r in inventory.rows.get(table, ())}
        for key, row in wanted.items():
            old = there.get(key)
            if old is None or any(old.get(column) != value for column, value in row.items()):
                yield table, row, key
        for key in there:
            is_ours = _is_of(inventory.host, table, str(key[0]))
            # Nobody could read the models of an unknown service, or saw it at all: its rows stay.
            is_unknown = table == "service_models" and key[0] in inventory.unknown
            is_unknown = is_unknown or key[0] in inventory.unseen
            if key not in wanted and is_ours and not is_unknown:
                yield table, None, key


def _is_of(host: str, table: str, name: str) -> bool:
    """Tell whether a row belongs to a host: "qwen" to this machine, "h/qwen" to h."""
    if table == "hosts":
        return name == host
    owner, slash, _ = name.rpartition("/")
    return owner == host if slash else host == LOCAL
