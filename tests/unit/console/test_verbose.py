"""What `-v` shows: one line each, without secrets, also where a line is cut."""

from __future__ import annotations

import logging

import pytest

from console.verbose import WIDTH, Formatter
from tasks.records.scrub import Scrubber
from tasks.shell.local import TRACE, LocalShell
from tests.unit.tasks.said import answered

SECRET = "opensesame"


def line(text: str) -> str:
    record = logging.LogRecord("x", logging.DEBUG, "", 0, text, None, None)
    return Formatter(Scrubber(frozenset({SECRET}))).format(record)


@pytest.mark.parametrize("before", range(WIDTH - 40, WIDTH + 5))
def test_no_half_of_a_secret_is_left_where_a_line_is_cut(before: int) -> None:
    text = line("x" * before + SECRET + "y" * 20)
    assert SECRET[:3] not in text
    assert len(text) <= WIDTH


def test_a_secret_with_blanks_in_it_is_gone_before_they_are_folded() -> None:
    record = logging.LogRecord("x", logging.DEBUG, "", 0, "as open  sesame\tsaid", None, None)
    text = Formatter(Scrubber(frozenset({"open  sesame"}))).format(record)
    assert "sesame" not in text


def test_many_lines_are_one() -> None:
    assert line("a\n  b").endswith(" a b")


def test_the_shell_tells_its_script_its_time_and_the_requests_it_made(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, TRACE.name):
        said = answered({"http://docker/version": {}})
        LocalShell().sh(f"echo body; echo '{said}'; exit 3", stdin="hidden")
    first, second = caplog.messages
    assert first.startswith("failed in 0.") and first.endswith("exit 3")
    assert second.strip() == "HTTP 200 http://docker/version"
    assert "hidden" not in caplog.text
