"""The database of what is there, for people who want to look without risk."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import click

from console.group import app
from console.looking.host import declared
from console.say import end, json_option, show, tell
from console.words.trouble import Trouble
from tasks.declared.layers import rooted


@app.group()
def db() -> None:
    """The database of what is there."""


def database_or_end() -> Path:
    """Return where the database is; end where there is none yet."""
    path = rooted(declared().database)
    if not path.is_file():
        end(Trouble(f"there is no {path}", "./main.sh sync writes it; so does every converge"))
    return path


@db.command("path")
def db_path() -> None:
    """Print where the database is."""
    show(rooted(declared().database))


@db.command("query")
@click.argument("sql")
@json_option()
def db_query(sql: str, as_json: bool) -> None:
    """Run one query, that can only read; without --json as a table."""
    from console.looking.query import QueryError, in_json, print_table, query  # noqa: PLC0415 (not for db path)

    try:
        columns, rows = query(database_or_end(), sql)
    except QueryError as error:
        if error.is_of_sql:
            raise click.UsageError(str(error)) from None
        end(Trouble(str(error), "./main.sh doctor tells more; the next converge builds it anew"))
    if as_json:
        tell(
            {
                "columns": columns,
                "rows": [dict(zip(columns, map(in_json, row), strict=True)) for row in rows],
            }
        )
    else:
        print_table(columns, rows)


@db.command("open")
def db_open() -> None:
    """Open the database in sqlite3's shell, that can only read."""
    path, program = database_or_end(), shutil.which("sqlite3")
    if program is None:
        end(Trouble("sqlite3 is not installed", "sudo apt-get install sqlite3; or: db query SQL"))
    os.execv(program, [program, "-readonly", "-header", "-column", str(path)])
