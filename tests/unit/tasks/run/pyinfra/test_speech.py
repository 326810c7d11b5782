"""What pyinfra prints: its own colours stay, words of hosts are only shown (attack 13)."""

from __future__ import annotations

import logging

import click
import pytest
from hypothesis import given
from pyinfra.api import output

from tasks.run.pyinfra import speech
from tasks.run.pyinfra.speech import OnlyShown, narrow_pyinfra, shown
from tests.unit.foreign import WORST, assert_literal, assert_only_shown, foreign


@given(foreign)
def test_attack_13_only_colours_are_left_of_what_drives_a_terminal(text: str) -> None:
    told = shown(f"[{click.style('ws1', bold=True)}] {click.style(text, 'red')}")
    assert told.startswith("[\x1b[1mws1\x1b[0m] \x1b[31m") and told.endswith("\x1b[0m")
    assert_only_shown(click.unstyle(told))


def test_attack_13_every_record_of_pyinfra_is_narrowed() -> None:
    record = logging.LogRecord("pyinfra", logging.ERROR, "", 0, "[ws1] %s", (WORST,), None)
    assert OnlyShown().filter(record)
    assert_only_shown(click.unstyle(record.getMessage()))
    assert_literal(record.getMessage())
    percent = logging.LogRecord("pyinfra", logging.ERROR, "", 0, "50 %s of 100 %", (), None)
    assert OnlyShown().filter(percent)
    assert percent.getMessage() == "50 %s of 100 %"


def test_attack_13_what_pyinfra_echoes_is_narrowed_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(output, "_echo", click.echo)
    logger = logging.Logger("pyinfra")
    monkeypatch.setattr(speech, "logger", logger)
    narrow_pyinfra()
    output.echo(f"[ws1] {WORST}", err=True)
    output.echo(err=True)
    told = capsys.readouterr().err
    assert_only_shown(told)
    assert_literal(told)
    assert [type(one) for one in logger.filters] == [OnlyShown]
