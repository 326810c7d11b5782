"""The database file: written only where a row differs, and never lost."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.containers.observed import ObservedServer, ServedModel
from tasks.database.database import DatabaseError, is_up_to_date, record, rows_of, unusable
from tasks.database.rows import SCHEMA_VERSION, Inventory, inventory_of
from tasks.run.decided import HostDetails
from tests.unit.tasks.samples import container, snapshot, spec, stack

STACK = stack()
MODEL = STACK.services[0].model
EXACT = """CREATE TABLE models (
    name TEXT PRIMARY KEY,
    container_name TEXT,
    port INTEGER,
    installed_version TEXT,
    status TEXT DEFAULT 'inactive',
    last_updated TEXT
)"""


def inventory(host: str = "@local", events: int = 0) -> Inventory:
    rows = [
        {"run": "r", "at": "2026", "host": host, "service": "qwen", "action": "create"}
    ] * events
    seen = snapshot(container(spec(STACK)))
    return inventory_of(host, STACK, seen, HostDetails(os="Debian"), {}, rows)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / ".models.db"


def test_a_missing_file_is_made_with_exactly_the_promised_table(path: Path) -> None:
    assert record(path, inventory()) == []
    with sqlite3.connect(path) as connection:
        (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name='models'").fetchone()
    assert sql == EXACT
    assert [row["name"] for row in rows_of(path, "models")] == ["qwen", "deepseek", "mistral"]


def test_fault_28_the_same_again_leaves_the_bytes_alone(path: Path) -> None:
    record(path, inventory())
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert is_up_to_date(path, inventory())
    record(path, inventory())
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before


def test_only_the_row_that_differs_gets_a_new_date(path: Path) -> None:
    record(path, inventory())
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE models SET last_updated = 'long ago'")
        connection.execute("UPDATE models SET port = 1 WHERE name = 'qwen'")
    record(path, inventory())
    dates = {row["name"]: row["last_updated"] for row in rows_of(path, "models")}
    assert dates["qwen"] != "long ago"
    assert dates["mistral"] == "long ago"


def test_a_row_of_a_service_that_is_no_more_goes_and_those_of_other_hosts_stay(path: Path) -> None:
    record(path, inventory("ws1"))
    record(path, inventory())
    with sqlite3.connect(path) as connection:
        connection.execute("INSERT INTO models (name) VALUES ('old'), ('ws2/old')")
    record(path, inventory())
    names = {row["name"] for row in rows_of(path, "models")}
    assert "old" not in names
    assert {"ws1/qwen", "ws2/old", "qwen"} <= names
    assert {row["name"] for row in rows_of(path, "hosts")} == {"ws1", "@local"}


def test_models_that_nobody_could_read_stay_as_they_were(path: Path) -> None:
    held = {MODEL: ServedModel(MODEL, "sha256:" + "a" * 64, 5)}
    up = snapshot(container(spec(STACK)), servers={"qwen": ObservedServer("0.24.0", held)})
    record(path, inventory_of("@local", STACK, up, HostDetails(), {}, []))
    stopped = snapshot(container(spec(STACK), status="exited"), stored={"qwen": None})
    record(path, inventory_of("@local", STACK, stopped, HostDetails(), {}, []))
    (row,) = [row for row in rows_of(path, "models") if row["name"] == "qwen"]
    assert (row["installed_version"], row["status"]) == (f"{MODEL}@{'a' * 12}", "inactive")
    readable = snapshot(stored={"qwen": {MODEL: ServedModel(MODEL, "sha256:" + "a" * 64, 0)}})
    record(path, inventory_of("@local", STACK, readable, HostDetails(), {}, []))
    assert [(row["model"], row["size"]) for row in rows_of(path, "service_models")] == [(MODEL, 5)]


def test_events_are_added_and_kept(path: Path) -> None:
    record(path, inventory(events=2))
    record(path, inventory(events=1))
    assert len(rows_of(path, "events")) == 3


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database" * 100)


def truncated(path: Path) -> None:
    record(path, inventory(events=200))
    path.write_bytes(path.read_bytes()[:5000])


def newer(path: Path) -> None:
    record(path, inventory())
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")


def somebody_elses(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE models (id INTEGER)")


@pytest.mark.parametrize("damage", [garbage, truncated, newer, somebody_elses])
def test_fault_35_an_unusable_file_is_set_aside_and_built_anew(
    path: Path, damage: Callable[[Path], None]
) -> None:
    path.parent.mkdir()
    damage(path)
    spoiled = path.read_bytes()
    assert unusable(path)
    (note,) = record(path, inventory())
    kept = [other for other in path.parent.iterdir() if other != path]
    assert [other.read_bytes() for other in kept] == [spoiled]
    assert kept[0].name in note
    assert len(rows_of(path, "models")) == 3


def test_a_file_of_a_newer_schema_is_set_aside_by_name(path: Path) -> None:
    path.parent.mkdir()
    newer(path)
    assert unusable(path) == f"newer schema {SCHEMA_VERSION + 1}"
    (note,) = record(path, inventory())
    assert note.startswith(f"{path.name} was unusable (newer schema {SCHEMA_VERSION + 1}): it is")
    assert f"{path.name}.newer-schema-{SCHEMA_VERSION + 1}-" in note


def test_a_folder_is_refused_and_left_where_it_is(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="is no file"):
        record(tmp_path, inventory())
    assert tmp_path.is_dir()


WRITER = """
import sys
from pathlib import Path
from tasks.database.database import record
from tests.unit.tasks.database.test_database import inventory
for _ in range(10):
    record(Path(sys.argv[1]), inventory(sys.argv[2], events=1))
"""


def test_fault_34_five_writers_at_once_all_get_through(path: Path) -> None:
    hosts = [f"h{number}" for number in range(5)]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(path), host]) for host in hosts]
    assert [writer.wait(timeout=120) for writer in writers] == [0] * 5
    assert len(rows_of(path, "models")) == 15
    assert len(rows_of(path, "events")) == 50
