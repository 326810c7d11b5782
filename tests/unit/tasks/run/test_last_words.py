"""The last lines of a whole run: each cause with its remedy once, by host."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.records.runlog import RunLog, log_path
from tasks.run.last_words import _print_failures, last_words
from tasks.run.session import Session
from tasks.words.failures import Failure
from tests.unit.foreign import WORST, assert_only_shown
from tests.unit.tasks.runs import SaidShell, run_on
from tests.unit.tasks.samples import stack

PULL = Failure("pull m:1: failed", "no answer", "wait", "qwen")


def test_a_host_without_failures_has_no_last_words() -> None:
    assert last_words("ws1", []) == []


def test_one_failure_is_its_three_lines() -> None:
    assert last_words("ws1", [PULL]) == [
        "",
        "1 failure on ws1:",
        "  qwen: pull m:1: failed",
        "    cause:  no answer",
        "    remedy: wait",
    ]


def test_what_has_the_same_cause_and_remedy_tells_them_once_and_what_has_not_does_not() -> None:
    other = Failure("pull m:2: failed", "no answer", "wait", "mistral")
    elsewhere = Failure("pull m:3: failed", "no answer", "ask whoever runs it")
    full = Failure("pull m:4: failed", "the disk is full", "wait")
    assert last_words("ws1", [PULL, elsewhere, other, full])[1:] == [
        "4 failures on ws1:",
        "  qwen: pull m:1: failed",
        "  mistral: pull m:2: failed",
        "    cause:  no answer",
        "    remedy: wait",
        "  pull m:3: failed",
        "    cause:  no answer",
        "    remedy: ask whoever runs it",
        "  pull m:4: failed",
        "    cause:  the disk is full",
        "    remedy: wait",
    ]


def test_attack_13_last_words_only_show() -> None:
    for line in last_words(WORST, [Failure(WORST, WORST, WORST)]):
        assert_only_shown(line)


def test_the_failures_of_all_hosts_end_a_run_and_its_log_also_those_of_silent_ones(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    declared = stack(database=str(tmp_path / "models.db"))
    session = Session(silent=lambda: {"one": [Failure("unreachable", "it is off", "turn it on")]})
    for name in ("two", "three"):
        session.runs[name] = run_on(SaidShell(name=name), declared)
    run = session.runs["two"]
    run.teller.record = RunLog.of(declared, "RUN", "two", run.teller.note)
    run.teller.fail(PULL)
    _print_failures(session)
    printed = capsys.readouterr().err.splitlines()
    assert [line for line in printed if line.endswith(":")] == [
        "1 failure on one:",
        "1 failure on two:",
    ]
    log = log_path(declared)
    assert log is not None
    text = log.read_text()
    assert "one: unreachable; cause: it is off; remedy: turn it on" in text
    assert text.splitlines()[-1].endswith("end: failed, changes: 0, failures: 2")
