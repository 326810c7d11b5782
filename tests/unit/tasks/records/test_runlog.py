"""The log of what was changed: one line each, none without a change, and no secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.declared.stack import Stack
from tasks.records.runlog import LogFile, RunLog, log_path
from tasks.words.failures import Failure
from tasks.words.steps import Action, Event
from tests.unit.foreign import WORST, assert_literal, assert_only_shown
from tests.unit.tasks.samples import stack

EVENT = Event("2026", "qwen", Action.CREATE, "ollama-qwen", "there is none")


def declared(folder: Path, **settings: object) -> Stack:
    return stack(database=str(folder / "models.db"), **settings)


def run_log(folder: Path, warnings: list[str], **settings: object) -> RunLog:
    return RunLog.of(declared(folder, **settings), "RUN", "@local", warnings.append)


def lines(folder: Path) -> list[str]:
    return (folder / ".ollama-stack.log").read_text().splitlines()


def test_a_run_is_its_beginning_its_changes_and_its_end(tmp_path: Path) -> None:
    log = run_log(tmp_path, [])
    log.changed(EVENT)
    log.failed(Failure("pull m: failed", "no\nanswer", "wait", "qwen"))
    log.end()
    log.end()
    begin, change, failure, end = (line.partition(" RUN @local ")[2] for line in lines(tmp_path))
    assert begin.startswith("begin: ") and " (PID " in begin
    assert change == "qwen: create ollama-qwen (there is none)"
    assert failure == "qwen: pull m: failed; cause: no answer; remedy: wait"
    assert end == "end: failed, changes: 1, failures: 1"


def test_a_run_without_changes_leaves_no_file(tmp_path: Path) -> None:
    run_log(tmp_path, []).end()
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_was_interrupted_says_so(tmp_path: Path) -> None:
    log = run_log(tmp_path, [])
    log.changed(EVENT)
    log.end("interrupted")
    log.end()
    assert [line for line in lines(tmp_path) if " end: " in line] == [lines(tmp_path)[-1]]
    assert "end: interrupted, changes: 1" in lines(tmp_path)[-1]


def test_secrets_of_the_declaration_and_of_anybody_do_not_reach_it(tmp_path: Path) -> None:
    proxy = "http://ada:opensesame@proxy.lan:3128"
    log = run_log(tmp_path, [], https_proxy=proxy)
    log.failed(Failure("pull", f"opensesame refused by {proxy}", "HF_TOKEN=abc123"))
    text = "\n".join(lines(tmp_path))
    assert "opensesame" not in text
    assert "abc123" not in text
    assert "proxy.lan" in text


def test_a_log_that_cannot_be_written_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / ".ollama-stack.log").mkdir()
    warnings: list[str] = []
    log = run_log(tmp_path, warnings)
    log.changed(EVENT)
    log.changed(EVENT)
    assert len(warnings) == 1
    assert "cannot be written" in warnings[0]


@pytest.mark.parametrize("setting", ["", "/var/log/mine.log", "mine.log"])
def test_it_is_beside_the_database_or_where_it_is_declared(tmp_path: Path, setting: str) -> None:
    found = log_path(declared(tmp_path, log_file=setting))
    assert found == {
        "": None,
        "/var/log/mine.log": Path("/var/log/mine.log"),
        "mine.log": tmp_path / "mine.log",
    }.get(setting)


def test_off_is_off(tmp_path: Path) -> None:
    LogFile(declared(tmp_path, log_file=""), "RUN", print).write("x")
    assert list(tmp_path.iterdir()) == []


def test_attack_13_a_line_of_the_log_is_one_line_that_only_shows(tmp_path: Path) -> None:
    log = RunLog.of(declared(tmp_path), "RUN", WORST, print)
    log.changed(Event("2026", WORST, Action.CREATE, WORST, WORST))
    log.failed(Failure(WORST, WORST, WORST, WORST))
    log.end()
    text = (tmp_path / ".ollama-stack.log").read_bytes().decode()
    assert_only_shown(text)
    assert_literal(text)
    assert text.count("\n") == 4


def test_an_escape_in_the_middle_hides_no_secret_from_the_scrubber(tmp_path: Path) -> None:
    log = run_log(tmp_path, [], https_proxy="http://ada:opensesame@proxy.lan:3128")
    log.failed(Failure("pull", "it said open\x1b[1msesame", "x"))
    assert "opensesame" not in (tmp_path / ".ollama-stack.log").read_text()
