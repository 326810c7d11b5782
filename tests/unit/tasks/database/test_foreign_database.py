"""Attack 22: what another program did to the database ends no run, and nothing of it is lost."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tasks.database import database
from tasks.database.database import DatabaseError, is_up_to_date, record, rows_of, unusable
from tasks.database.schema import TABLES, columns_of, foreign
from tests.unit.tasks.database.test_database import inventory

MODELS = "name TEXT PRIMARY KEY, container_name TEXT, port INTEGER, installed_version TEXT"


def remade(columns: str) -> str:
    """Return SQL that makes the table of models anew."""
    return f"DROP TABLE models; CREATE TABLE models ({columns})"


# What was done → the words that name it. Each can be seen without writing.
SEEN = {
    "CREATE TRIGGER ah AFTER UPDATE ON models BEGIN DELETE FROM events; END": (
        "trigger of another program: ah on models"
    ),
    "CREATE TRIGGER [a/b] AFTER INSERT ON Events BEGIN SELECT RAISE(ABORT, 'no'); END": (
        "trigger of another program: a/b on events"
    ),
    "DROP TABLE models; CREATE VIEW models AS SELECT 'qwen' AS name": (
        "view of another program: models"
    ),
    "DROP TABLE hosts; CREATE VIEW Hosts AS SELECT * FROM services": (
        "view of another program: Hosts"
    ),
    "DROP TABLE hosts; CREATE INDEX hosts ON models (port)": "index of another program: hosts",
    "DROP TABLE models; CREATE VIRTUAL TABLE models USING fts5(name)": (
        "virtual table of another program: models"
    ),
    remade(f"{MODELS}, status TEXT, last_updated TEXT, owner TEXT NOT NULL"): (
        "column that we cannot fill: owner of models is NOT NULL"
    ),
    remade(f"{MODELS} NOT NULL, status TEXT, last_updated TEXT"): (
        "column that we cannot fill: installed_version of models is NOT NULL"
    ),
    remade(f"{MODELS}, status TEXT AS ('active'), last_updated TEXT"): (
        "generated column: status of models"
    ),
    "ALTER TABLE models ADD COLUMN url TEXT AS ('http://' || port)": (
        "generated column: url of models"
    ),
    remade(f"{MODELS.replace(' PRIMARY KEY', '')}, status TEXT, last_updated TEXT"): (
        "other primary key: name of models"
    ),
    remade(f"{MODELS.replace('port INTEGER', 'port TEXT')}, status TEXT, last_updated TEXT"): (
        "other column type: port of models is TEXT"
    ),
    remade(f"{MODELS}, status TEXT"): "tables of another program: models has no column",
    "DROP TABLE service_models; CREATE TABLE service_models (service TEXT PRIMARY KEY, model TEXT,"
    " declared INTEGER, digest TEXT, size INTEGER, last_updated TEXT)": (
        "other primary key: model of service_models"
    ),
    "UPDATE models SET status = CAST(x'ff61' AS TEXT) WHERE name = 'qwen'": (
        "text that is not UTF-8: in models"
    ),
    "INSERT INTO services (name) VALUES (CAST(x'ff' AS TEXT))": (
        "text that is not UTF-8: in services"
    ),
    "INSERT INTO hosts (name, os) VALUES ('ws9', CAST(x'c3' AS TEXT))": (
        "text that is not UTF-8: in hosts"
    ),
}
# Only a row of ours that is refused shows these.
TRIED = {
    "DELETE FROM models; CREATE UNIQUE INDEX one ON models (status)": (
        "refuses our rows: UNIQUE constraint failed"
    ),
    remade(f"{MODELS} CHECK (port < 100), status TEXT, last_updated TEXT"): (
        "refuses our rows: CHECK constraint failed"
    ),
    remade(f"{MODELS}, status TEXT, last_updated TEXT CHECK (last_updated = 'x')"): (
        "refuses our rows: CHECK constraint failed"
    ),
    remade(
        "name TEXT PRIMARY KEY ON CONFLICT IGNORE, container_name TEXT, port INTEGER,"
        " installed_version TEXT, status TEXT CHECK (status = 'gone'), last_updated TEXT"
    ): "refuses our rows: CHECK constraint failed",
    remade(f"{MODELS}, status TEXT, last_updated TEXT")
    + "; CREATE INDEX odd ON models (json_extract(container_name, '$.a'))": (
        "refuses our rows: malformed JSON"
    ),
}
HARMLESS = (
    "CREATE TABLE mine (x); INSERT INTO mine VALUES (1)",
    "CREATE VIEW mine AS SELECT name, port FROM models",
    "CREATE INDEX mine ON models (port)",
    "ALTER TABLE models ADD COLUMN mine TEXT",
    "ALTER TABLE models ADD COLUMN mine TEXT NOT NULL DEFAULT 'x'",
    "CREATE TABLE x (y); CREATE TRIGGER mine AFTER INSERT ON x BEGIN DELETE FROM x; END",
    "PRAGMA application_id = 7",
)
# Cells that another program wrote, which the next run puts right.
HEALED = (
    "UPDATE models SET port = 9223372036854775807",
    "UPDATE models SET status = x'ff00'",
    "INSERT INTO models (name) VALUES (NULL), (NULL)",
    "INSERT INTO models (name) VALUES (x'ff')",
    "UPDATE services SET tokens_per_second = 9e999, context = 'many'",
    "INSERT INTO service_models (service, model) VALUES (NULL, 'x'), ('qwen', NULL)",
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a database of ours with a history."""
    path = tmp_path / ".models.db"
    record(path, inventory(events=2))
    return path


def done(path: Path, sql: str) -> bytes:
    """Do something to the database; return its bytes afterwards."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(sql)
    return path.read_bytes()


def kept_files(path: Path) -> list[Path]:
    return [other for other in path.parent.iterdir() if other != path]


def ends_well(path: Path, spoiled: bytes, reason: str) -> None:
    """One run sets the file aside, names why, and builds it anew; the next has nothing to do."""
    (note,) = record(path, inventory(events=1))
    (kept,) = kept_files(path)
    assert reason in note and kept.name in note
    assert kept.read_bytes() == spoiled
    assert len(rows_of(path, "models")) == 3
    assert len(rows_of(path, "events")) == 1
    assert is_up_to_date(path, inventory())
    assert not unusable(path)
    assert record(path, inventory()) == []


@pytest.mark.parametrize("sql", SEEN)
def test_attack_22_a_file_that_is_not_ours_is_set_aside_with_its_reason(
    path: Path, sql: str
) -> None:
    spoiled = done(path, sql)
    assert unusable(path).startswith(SEEN[sql])
    assert not is_up_to_date(path, inventory()), "else the remedy that is named would do nothing"
    ends_well(path, spoiled, SEEN[sql])


@pytest.mark.parametrize("sql", TRIED)
def test_attack_22_a_file_that_refuses_our_rows_is_set_aside_with_its_reason(
    path: Path, sql: str
) -> None:
    spoiled = done(path, sql)
    ends_well(path, spoiled, TRIED[sql])


@pytest.mark.parametrize("sql", HARMLESS)
def test_attack_22_what_does_no_harm_stays(path: Path, sql: str) -> None:
    done(path, sql)
    with closing(sqlite3.connect(path)) as connection:
        before = connection.execute("SELECT * FROM sqlite_master ORDER BY name").fetchall()
    assert not unusable(path)
    done(path, "UPDATE models SET port = 1")
    assert record(path, inventory(events=1)) == []
    with closing(sqlite3.connect(path)) as connection:
        after = connection.execute("SELECT * FROM sqlite_master ORDER BY name").fetchall()
    assert after == before
    assert kept_files(path) == []
    assert len(rows_of(path, "events")) == 3


@pytest.mark.parametrize("sql", HEALED)
def test_attack_22_odd_cells_are_put_right_where_they_are(path: Path, sql: str) -> None:
    done(path, sql)
    assert not unusable(path)
    assert record(path, inventory()) == []
    assert is_up_to_date(path, inventory())
    assert [row["name"] for row in rows_of(path, "models")] == ["qwen", "deepseek", "mistral"]
    assert kept_files(path) == []


def test_attack_22_a_trigger_never_runs(path: Path) -> None:
    done(path, "CREATE TRIGGER t AFTER UPDATE ON models BEGIN DELETE FROM events; END")
    done(path, "UPDATE hosts SET os = 'other'")
    record(path, inventory())
    (kept,) = kept_files(path)
    assert len(rows_of(kept, "events")) == 2


def test_attack_22_an_odd_cell_of_the_history_is_shown_and_stays(path: Path) -> None:
    done(path, "UPDATE events SET why = CAST(x'ff61' AS TEXT), subject = x'0aff' WHERE id = 1")
    assert [row["why"] for row in rows_of(path, "events")] == ["\ufffda", None]
    assert rows_of(path, "events")[0]["subject"] == "0aff"
    assert not unusable(path)
    assert record(path, inventory(events=1)) == []
    assert len(rows_of(path, "events")) == 3


def test_attack_22_two_that_are_set_aside_in_one_second_have_two_names(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Still(database.datetime):
        @classmethod
        def now(cls, tz: object = None) -> Still:
            return cls(2026, 11, 27)

    monkeypatch.setattr("tasks.database.aside.datetime", Still)
    spoiled = set()
    for text in (b"first", b"second", b"third"):
        path.write_bytes(text * 100)
        spoiled.add(path.read_bytes())
        record(path, inventory())
    assert {file.read_bytes() for file in kept_files(path)} == spoiled


def test_attack_22_a_run_that_judged_another_file_leaves_the_new_one_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs see the same damage; the other one was quicker."""
    path.write_bytes(b"this is no database" * 100)
    real: Callable[[Path], str] = database.unusable

    def slower(judged: Path) -> str:
        reason = real(judged)
        if reason:
            monkeypatch.setattr(database, "unusable", real)
            record(path, inventory("ws1"))
        return reason

    monkeypatch.setattr(database, "unusable", slower)
    assert record(path, inventory()) == []
    assert len(kept_files(path)) == 1
    assert {row["name"] for row in rows_of(path, "hosts")} == {"ws1", "@local"}


@pytest.mark.parametrize(
    "sql", ["CREATE VIEW models AS SELECT 1 AS name", "CREATE TABLE models (x)"]
)
def test_attack_22_readers_get_no_rows_that_lack_what_they_need(path: Path, sql: str) -> None:
    done(path, f"DROP TABLE models; {sql}")
    assert rows_of(path, "models") == []


def test_attack_22_numbers_and_texts_beyond_sqlite_do_not_end_a_run(path: Path) -> None:
    found = inventory(events=1)
    found.rows["services"][0] |= {"context": 10**400, "role": "half \ud800"}
    found.rows["services"][0]["tokens_per_second"] = float("nan")
    found.events[0]["why"] = "\udcff"
    assert record(path, found) == []
    found.events.clear()
    assert is_up_to_date(path, found)


def test_attack_22_what_a_lock_or_a_full_disk_says_is_no_reason_to_set_aside(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DatabaseError, match=r"locked\); another program holds it"):
            record(path, inventory(events=1))
    full = sqlite3.OperationalError("database or disk is full")
    full.sqlite_errorcode = sqlite3.SQLITE_FULL

    def write(*_: object) -> None:
        raise full

    monkeypatch.setattr(database, "_write", write)
    with pytest.raises(DatabaseError, match=r"full.*; free some space"):
        record(path, inventory(events=1))
    assert kept_files(path) == []


def test_attack_22_a_table_that_is_named_locked_is_no_lock(path: Path) -> None:
    done(path, "CREATE TRIGGER locked AFTER UPDATE ON models BEGIN SELECT 1; END")
    assert "trigger" in unusable(path)


def test_a_file_of_ours_has_nothing_foreign(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        assert foreign(connection) == ""
    assert columns_of("service_models")["model"] == ("TEXT", 2)
    assert TABLES[-1] == "events"
