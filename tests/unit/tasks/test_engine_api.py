"""Requests as shell words, and the answers that curl printed."""

from __future__ import annotations

import shlex

from hypothesis import given
from hypothesis import strategies as st

from tasks.engine_api import Answer, answers, curl, engine, with_label


def test_each_answer_ends_in_its_status_and_url() -> None:
    found = answers('{"a": 1}\n#200 http://docker/x\n\n#000 http://127.0.0.1:1/y\nno\n#404 z\n')
    assert found["http://docker/x"].json == {"a": 1}
    assert (found["http://127.0.0.1:1/y"].status, found["http://127.0.0.1:1/y"].ok) == (0, False)
    assert found["z"].message == "no"


@given(st.text())
def test_any_output_is_parsed(text: str) -> None:
    for answer in answers(text).values():
        assert isinstance(answer.message, str)


def test_a_body_is_never_an_argument() -> None:
    command = curl([engine("/containers/create", {"name": "x"})], method="POST", has_body=True)
    assert shlex.split(command)[-2:] == ["http://docker/containers/create?name=x", "2>/dev/null"]
    assert "@-" in command


def test_filters_are_json() -> None:
    assert engine("/volumes", {"filters": with_label("a", "b")}).endswith(
        "?filters=%7B%22label%22%3A+%5B%22a%3Db%22%5D%7D"
    )


def test_the_servers_own_words_are_kept() -> None:
    assert Answer("u", 500, '{"message": "boom"}').message == "boom"
    assert Answer("u", 500, '{"error": "bang"}').message == "bang"
    assert Answer("u", 0, "").message == "nobody answered"
