"""Whether the tables in a database file are ours: what is in one that we cannot go on with.

Tables, views, indexes and nullable columns of somebody else do no harm and stay. What would run
their code with our writes, refuse our rows, or give us something else than we wrote is no table
of ours, whatever its name.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache

from tasks.database.rows import KEYS, SCHEMA
from tasks.words.printable import printable

TABLES = (*KEYS, "events")
# Column → type and place in the primary key (0: not in it).
Columns = dict[str, tuple[str, int]]
_NAME_LENGTH = 80


@cache
def columns_of(table: str) -> Columns:
    """Return the columns of a table of ours."""
    with closing(sqlite3.connect(":memory:")) as model:
        model.executescript(SCHEMA)
        return {
            name: (kind, key)
            for _, name, kind, _, _, key in model.execute(f"PRAGMA table_info({table})")
        }


def foreign(connection: sqlite3.Connection) -> str:
    """Return why a file cannot be gone on with; "" where it can. Raises sqlite3.Error.

    The words before a colon name the kind, what comes behind it the very thing.
    """
    return next(_faults(connection), "")


def is_table(connection: sqlite3.Connection, table: str) -> bool:
    """Tell whether a table of ours is there, is a table, and has our columns."""
    kinds = [kind for kind, _, _ in _objects(connection, table)]
    names = {row[1] for row in connection.execute(f"PRAGMA table_info([{table}])")}
    return kinds == ["table"] and {*columns_of(table)} <= names


def _faults(connection: sqlite3.Connection) -> Iterator[str]:
    for table in TABLES:
        for kind, name, sql in _objects(connection, table):
            if kind != "table" or sql.upper().startswith("CREATE VIRTUAL"):
                word = "virtual table" if kind == "table" else kind
                yield f"{word} of another program: {printable(name, _NAME_LENGTH)}"
    # Its code would run with our rights whenever we write.
    for name, table in connection.execute(
        "SELECT name, lower(tbl_name) FROM sqlite_master WHERE type = 'trigger'"
    ):
        if table in TABLES:
            yield f"trigger of another program: {printable(name, _NAME_LENGTH)} on {table}"
    for table in TABLES:
        yield from _column_faults(connection, table)
    for table in KEYS:
        if not _is_text(connection, table):
            yield f"text that is not UTF-8: in {table}"


def _objects(connection: sqlite3.Connection, name: str) -> list[tuple[str, str, str]]:
    rows = connection.execute(
        "SELECT type, name, coalesce(sql, '') FROM sqlite_master"
        " WHERE lower(name) = ? AND type != 'trigger'",
        (name,),
    )
    return [(str(kind), str(found), str(sql)) for kind, found, sql in rows]


def _column_faults(connection: sqlite3.Connection, table: str) -> Iterator[str]:
    wanted = columns_of(table)
    there = connection.execute(f"PRAGMA table_xinfo([{table}])").fetchall()
    if not there:
        return
    missing = {*wanted} - {row[1] for row in there}
    if missing:
        yield f"tables of another program: {table} has no column {min(missing)}"
    for _, name, kind, is_needed, default, key, hidden in there:
        where = f"{printable(name, _NAME_LENGTH)} of {table}"
        if hidden:
            yield f"generated column: {where}"
        elif name not in wanted:
            if key:
                yield f"other primary key: {where}"
            if is_needed and default is None:
                yield f"column that we cannot fill: {where} is NOT NULL"
        elif key != wanted[name][1]:
            yield f"other primary key: {where}"
        elif kind.upper() != wanted[name][0]:
            yield f"other column type: {where} is {printable(kind, _NAME_LENGTH) or 'untyped'}"
        elif is_needed and not key:
            yield f"column that we cannot fill: {where} is NOT NULL"


def _is_text(connection: sqlite3.Connection, table: str) -> bool:
    """Tell whether every text of a table is UTF-8."""
    before, connection.text_factory = connection.text_factory, bytes.decode
    try:
        if connection.execute(f"PRAGMA table_info([{table}])").fetchone() is not None:
            # A column's name has to be text as well, so only the cells are asked for.
            for _ in connection.execute(f"SELECT * FROM [{table}]"):
                pass
    except UnicodeDecodeError:
        return False
    finally:
        connection.text_factory = before
    return True
