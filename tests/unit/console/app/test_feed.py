"""What the feed gathers, without its threads: rows, faults, and a database that is unusable."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from console.app import feed as module
from console.app.feed import Feed, View, last_changes, look_at_all, synchronise
from console.looking import fleet
from console.looking.fleet import INVENTORY
from console.looking.host import SeenHost
from console.words.trouble import Trouble
from tasks.declared.stack import Stack
from tests.unit.console.app.samples import NO_DOCKER, all_of, host, one_stopped
from tests.unit.console.app.samples import fleet as two_hosts
from tests.unit.tasks.samples import stack


def with_database(path: Path) -> Stack:
    return stack(gpu="auto", database=str(path))


def seen(path: Path) -> SeenHost:
    declared = with_database(path)
    return host(declared=declared, seen=all_of(declared))


def test_rows_carry_what_is_known_of_each_service() -> None:
    found = replace(one_stopped(), offers={"qwen": ("x 1 → 2",)})
    qwen, deepseek, mistral = found.rows()
    assert (qwen.host, qwen.key, qwen.upgrades) == ("@local", "qwen", ("x 1 → 2",))
    assert qwen.changed == "2026-01-10T09:30:00+00:00"
    assert (deepseek.upgrades, deepseek.view.state) == ((), "stopped")
    assert mistral.view.drift


def test_rows_of_other_hosts_take_nothing_from_this_one() -> None:
    found = replace(two_hosts(), offers={"qwen": ("x",)}, changed={"ws2/qwen": "2026"})
    rows = {row.key: row for row in found.rows()}
    assert rows["ws1/qwen"].upgrades == ()
    assert (rows["ws1/qwen"].changed, rows["ws2/qwen"].changed) == ("", "2026")


def test_an_invalid_declaration_is_told_and_nothing_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "stack.toml"
    file.write_text('paralel = 2\ngpu = "yes"\n')
    monkeypatch.setenv("STACK_FILE", str(file))
    monkeypatch.setattr(fleet, "is_this_machine", lambda *_: True)
    found, trouble = look_at_all(INVENTORY)
    assert found == ()
    assert trouble is not None
    assert "paralel" in trouble.cause
    assert "gpu" in trouble.cause
    assert trouble.remedy.startswith("correct stack.toml")


def test_an_inventory_that_is_none_and_what_nobody_foresaw_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def raising(error: Exception) -> Any:
        def do(*_: Any) -> bool:
            raise error

        return do

    trouble = Trouble("no inventory", "name another")
    monkeypatch.setattr(fleet, "is_this_machine", raising(fleet.FleetError(trouble)))
    assert look_at_all(INVENTORY) == ((), trouble)
    monkeypatch.setattr(fleet, "is_this_machine", raising(RuntimeError("oh")))
    found, told = look_at_all(INVENTORY)
    assert found == ()
    assert told is not None
    assert (told.cause, "report it" in told.remedy) == ("RuntimeError: oh", True)


def test_of_this_machine_alone_its_trouble_is_everybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = host(trouble=NO_DOCKER)
    monkeypatch.setattr(fleet, "is_this_machine", lambda *_: True)
    monkeypatch.setattr(module, "this_machine", lambda: alone)
    (status,), trouble = look_at_all(INVENTORY)
    assert (status.seen, status.rows, trouble) == (alone, (), NO_DOCKER)
    monkeypatch.setattr(fleet, "is_this_machine", lambda *_: False)
    monkeypatch.setattr(fleet, "look_at", lambda *_: [alone, host("ws1")])
    hosts, trouble = look_at_all(INVENTORY)
    assert ([status.seen.name for status in hosts], trouble) == (["@local", "ws1"], None)


def test_rows_are_written_once_and_their_ages_read(tmp_path: Path) -> None:
    path = tmp_path / "models.db"
    there = seen(path)
    assert synchronise(there) == ""
    written = path.read_bytes()
    assert synchronise(there) == ""
    assert path.read_bytes() == written
    assert set(last_changes(with_database(path))) == {"qwen", "deepseek", "mistral"}
    assert all(last_changes(with_database(path)).values())


def test_a_damaged_database_is_set_aside_and_that_is_told(tmp_path: Path) -> None:
    path = tmp_path / "models.db"
    path.write_bytes(b"no database" * 100)
    assert last_changes(with_database(path)) == {}
    note = synchronise(seen(path))
    assert "models.db was unusable (damaged" in note
    assert synchronise(seen(path)) == ""


@pytest.mark.parametrize("make", ["folder", "file_above"])
def test_a_path_that_can_be_no_database_is_told_and_raises_nothing(
    tmp_path: Path, make: str
) -> None:
    path = tmp_path / "file" / "models.db"
    if make == "folder":
        path.mkdir(parents=True)
    else:
        path.parent.write_text("a file")
    assert str(path) in synchronise(seen(path))
    assert last_changes(with_database(path)) == {}


def test_a_locked_database_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tasks.database.database.BUSY_SECONDS", 0)
    path = tmp_path / "models.db"
    with sqlite3.connect(path, isolation_level=None) as other:
        other.execute("CREATE TABLE x (y)")
        other.execute("BEGIN EXCLUSIVE")
        assert "cannot be written" in synchronise(seen(path))
    other.close()


def test_what_nobody_declared_is_not_written(tmp_path: Path) -> None:
    assert synchronise(SeenHost("@local")) == ""


def test_only_what_differs_is_told_and_nothing_after_the_end() -> None:
    told: list[View] = []
    feed = Feed(told.append)
    feed._update(note="a")
    feed._update(note="a")
    feed._update(note="b")
    feed.stop()
    feed._update(note="c")
    assert [one.note for one in told] == ["a", "b"]
