"""What nobody foresaw ends at its host, its service or its look (attack 9)."""

from __future__ import annotations

import pytest

from tasks.run.unforeseen import DEBUG, look, looked, unforeseen
from tasks.shell.local import Result
from tests.unit.foreign import WORST, assert_only_shown
from tests.unit.tasks.runs import SaidShell, run_on


def odd(*_: object) -> int:
    raise KeyError("Id")


def test_attack_9_a_look_that_raises_fails_its_host_alone() -> None:
    run = run_on()
    assert looked(run, "the host", odd, 7) == 7
    (failure,) = run.teller.failures
    assert (failure.service, failure.what) == ("", "the host: not known")
    assert failure.cause == "KeyError: 'Id'" and "report it" in failure.remedy
    assert run.teller.has_failed("qwen")
    assert looked(run, "the host", lambda: 5, 7) == 5


def test_the_lines_of_a_look_are_parsed_and_a_look_that_failed_is_not() -> None:
    shell = SaidShell({"uname": Result(True, "a\nb", ""), "false": Result(False, "a\nb", "no")})
    run = run_on(shell)
    assert look(run, "x", "uname", len, 0) == 2
    assert look(run, "x", "false", len, 7) == 7
    assert run.teller.failures == []


def test_attack_9_an_answer_that_cannot_be_parsed_fails_its_host_alone() -> None:
    run = run_on()
    assert look(run, "the host", "uname", odd, 7) == 7
    assert [failure.what for failure in run.teller.failures] == ["the host: not known"]


@pytest.mark.parametrize("sudo", [True, False, None])
def test_a_look_asks_as_whom_it_is_told(sudo: bool | None) -> None:
    shell = SaidShell()
    look(run_on(shell), "x", "uname", len, 0, sudo=sudo)
    assert [asked.sudo for asked in shell.asked] == [sudo]


def test_where_it_is_shows_only_who_asked_for_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(DEBUG, raising=False)
    unforeseen("x", ValueError("y"))
    assert capsys.readouterr().err == ""


def test_attack_13_a_traceback_that_was_asked_for_only_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DEBUG, "1")
    unforeseen("x", ValueError(WORST))
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert_only_shown(told)
