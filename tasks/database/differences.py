"""Which rows of a database differ from what was observed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from tasks.database.rows import KEYS, Inventory, Row, storable
from tasks.words.steps import LOCAL


def differences(
    connection: sqlite3.Connection, inventory: Inventory
) -> Iterator[tuple[str, Row | None, tuple[Any, ...]]]:
    """Yield each row to write, and (as None) each row of this host that is no more."""
    for table, keys in KEYS.items():
        there = {
            tuple(row[key] for key in keys): dict(row)
            for row in connection.execute(f"SELECT * FROM [{table}]")
        }
        rows = map(storable, inventory.rows.get(table, ()))
        wanted = {tuple(row[key] for key in keys): row for row in rows}
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
