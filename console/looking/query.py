"""One query of the database, that can only read: by the way it is opened and by what it may do."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from console.words.safe import safe

BUSY_SECONDS = 10
# Instructions of SQLite between two looks at what was pressed: some milliseconds.
STEPS = 100_000
WAITING = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
READING = frozenset(
    {
        sqlite3.SQLITE_SELECT,
        sqlite3.SQLITE_READ,
        sqlite3.SQLITE_FUNCTION,
        sqlite3.SQLITE_RECURSIVE,
    }
)
# Pragmas that tell and set nothing; without an argument, or with the name of a table.
TELLING = frozenset({"table_list", "table_info", "table_xinfo", "index_list", "user_version"})


class QueryError(Exception):
    """A query that failed; `is_of_sql` where its words are wrong, not the database."""

    def __init__(self, text: str, *, is_of_sql: bool) -> None:
        self.is_of_sql = is_of_sql
        super().__init__(text)


def query(path: Path, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return the columns and rows of one query. Raises QueryError."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS)) as connection:
            # Reads of the file itself first: what is wrong then is not the query's fault.
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            # mode=ro alone lets VACUUM INTO and ATTACH write other files.
            connection.set_authorizer(_judge)
            # What another program wrote need not be UTF-8.
            connection.text_factory = lambda content: content.decode(errors="replace")
            # Python sees to a Ctrl-C only while some of it runs.
            connection.set_progress_handler(lambda: 0, STEPS)
            return _run(connection, sql)
    except sqlite3.Error as error:
        raise QueryError(f"{path.name} cannot be read: {error}", is_of_sql=False) from None


def _run(connection: sqlite3.Connection, sql: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    try:
        cursor = connection.execute(sql)
        if cursor.description is None:
            raise QueryError(f"{sql!r}: is no query", is_of_sql=True)
        columns = _unique([column[0] for column in cursor.description])
        return columns, [tuple(map(_plain, row)) for row in cursor]
    except UnicodeEncodeError:
        raise QueryError("the SQL holds bytes that are no UTF-8", is_of_sql=True) from None
    except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.Warning) as error:
        code = getattr(error, "sqlite_errorcode", 0)
        if code == sqlite3.SQLITE_INTERRUPT:
            raise KeyboardInterrupt from None
        if code in WAITING:
            raise
        raise QueryError(f"{sql!r}: {error}", is_of_sql=True) from None
    except sqlite3.DatabaseError as error:
        if not any(word in str(error) for word in ("authoriz", "prohibited")):
            raise
        raise QueryError(f"{sql!r}: only reading is allowed here", is_of_sql=True) from None


def _judge(action: int, first: str | None, second: str | None, *_: str | None) -> int:
    is_telling = action == sqlite3.SQLITE_PRAGMA and first in TELLING
    # A version with an argument would be set.
    if is_telling and first == "user_version" and second is not None:
        return sqlite3.SQLITE_DENY
    return sqlite3.SQLITE_OK if is_telling or action in READING else sqlite3.SQLITE_DENY


def _unique(names: Sequence[str]) -> list[str]:
    """Number names that come again ("name", "name_2"), so that none hides another."""
    found: list[str] = []
    for name in names:
        number, unique = 1, name
        while unique in found:
            number += 1
            unique = f"{name}_{number}"
        found.append(unique)
    return found


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


def in_json(value: Any) -> Any:
    """Return a value as JSON can hold it: no number there is infinite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print rows as a table, in full where nobody's terminal sets a width."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=10_000)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(safe(column), overflow="fold")
    for row in rows:
        table.add_row(*(safe("" if value is None else value) for value in row))
    console.print(table)
