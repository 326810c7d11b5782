"""Lines of a log, out of a stream whose chunks end anywhere."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from console.looking.logs import log_lines, log_of, when_and_what
from console.words.trouble import Trouble
from tests.unit.tasks.samples import stack


@given(st.lists(st.text("ab é\r", max_size=8), max_size=5), st.integers(1, 4))
def test_lines_are_whole_however_the_stream_was_cut(lines: list[str], size: int) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(log_lines(chunks)) == lines


def test_a_last_line_without_an_end_is_there() -> None:
    assert list(log_lines([b"a\nb"])) == ["a", "b"]


def test_a_line_has_its_time_and_its_text() -> None:
    line = "2026-01-02T03:04:05.6Z two words\r"
    assert when_and_what(line) == {"time": "2026-01-02T03:04:05.6Z", "text": "two words"}
    assert when_and_what("2026-01-02T03:04:05.6Z ")["text"] == ""


def test_an_engine_that_does_not_answer_is_told_as_such(tmp_path: Path) -> None:
    declared = stack(docker_socket=f"{tmp_path}/none.sock")
    found = log_of(declared, declared.services[0], follow=False, lines=1, timestamps=False)
    assert isinstance(found, Trouble) and "there is no" in found.cause
