"""Queries of the database: they read, and nothing that a person types can write anything."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from console.looking.query import QueryError, in_json, query


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a #1?.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, x'0aff')")
    return path


def test_rows_come_with_their_columns(database: Path) -> None:
    assert query(database, "SELECT * FROM t") == (["a", "b"], [(1, "0aff")])
    assert query(database, "SELECT * FROM t WHERE a = 2") == (["a", "b"], [])
    assert query(database, "WITH x AS (SELECT a FROM t) SELECT count(*) AS n FROM x")[0] == ["n"]
    assert query(database, "PRAGMA table_info(t)")[1][0][1] == "a"


def test_columns_of_the_same_name_do_not_hide_each_other(database: Path) -> None:
    columns, rows = query(database, "SELECT * FROM t, t AS other")
    assert columns == ["a", "b", "a_2", "b_2"]
    assert len(rows[0]) == 4


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM t",
        "DROP TABLE t",
        "INSERT INTO t VALUES (2, 2)",
        "CREATE TEMP TABLE x (a)",
        "VACUUM",
        "VACUUM INTO 'other.db'",
        "ATTACH 'other.db' AS other",
        "PRAGMA user_version = 9",
        "PRAGMA journal_mode = wal",
        "BEGIN IMMEDIATE",
        "SELECT 1; DELETE FROM t",
        "SELECT load_extension('x')",
        "SELEC",
        "SELECT * FROM nothing",
        "",
    ],
)
def test_whatever_does_not_just_read_is_refused(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sql: str
) -> None:
    monkeypatch.chdir(tmp_path)
    before = database.read_bytes()
    with pytest.raises(QueryError) as caught:
        query(database, sql)
    assert caught.value.is_of_sql
    assert database.read_bytes() == before
    assert list(tmp_path.iterdir()) == [database]


def test_a_damaged_file_is_not_the_fault_of_the_query(tmp_path: Path) -> None:
    path = tmp_path / "broken.db"
    path.write_text("this is no database at all")
    with pytest.raises(QueryError) as caught:
        query(path, "SELECT 1")
    assert not caught.value.is_of_sql


def test_a_query_without_an_end_is_ended_by_ctrl_c(database: Path) -> None:
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        query(database, endless)


def test_a_column_that_is_named_locked_is_no_lock(database: Path) -> None:
    with pytest.raises(QueryError) as caught:
        query(database, "SELECT locked FROM t")
    assert caught.value.is_of_sql


def test_bytes_that_are_no_text_are_wrong_words(database: Path) -> None:
    with pytest.raises(QueryError) as caught:
        query(database, "SELECT '\udcff'")
    assert caught.value.is_of_sql and "UTF-8" in str(caught.value)


def test_no_number_in_json_is_infinite(database: Path) -> None:
    ((infinite, one),) = query(database, "SELECT 9e999, 1.5")[1]
    assert json.dumps([in_json(infinite), in_json(one)]) == "[null, 1.5]"


def test_attack_22_a_cell_that_is_not_utf8_is_shown_with_marks(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript("INSERT INTO t VALUES (2, CAST(x'ff61' AS TEXT))")
    assert query(database, "SELECT b FROM t WHERE a = 2")[1] == [("\ufffda",)]
