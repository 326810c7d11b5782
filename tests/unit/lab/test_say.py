"""What the lab tells while it works."""

from __future__ import annotations

import re
import time

import pytest

from lab import say


def test_a_step_is_one_line_with_its_duration(capsys: pytest.CaptureFixture[str]) -> None:
    with say.step("Start it"):
        pass
    assert re.fullmatch(r"Start it … 0\.\d s\n", capsys.readouterr().out)


def test_a_failed_step_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError), say.step("Start it"):
        raise ValueError
    assert capsys.readouterr().out == "Start it … failed\n"


def test_a_long_step_shows_that_it_lives(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(say, "TICK_SECONDS", 0.02)
    with say.step("Build it"):
        time.sleep(0.2)
    assert ". . " in capsys.readouterr().out
