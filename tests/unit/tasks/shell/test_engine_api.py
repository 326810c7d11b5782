"""Requests as shell words, and the answers that curl printed."""

from __future__ import annotations

import json
import shlex

from hypothesis import given
from hypothesis import strategies as st

from tasks.shell.answers import Answer, answers
from tasks.shell.curl import curl, opened
from tasks.shell.curl import enveloped as packed
from tasks.shell.engine_api import engine, with_label
from tasks.shell.local import LocalShell
from tests.unit.tasks.said import answered, enveloped


def test_each_answer_ends_in_its_status_and_url() -> None:
    said = '{"a": 1}\n#200 http://docker/x\n\n#000 http://127.0.0.1:1/y\nno\n#404 z\n'
    found = answers(enveloped(said))
    assert found["http://docker/x"].json == {"a": 1}
    assert (found["http://127.0.0.1:1/y"].status, found["http://127.0.0.1:1/y"].ok) == (0, False)
    assert found["z"].message == "no"


@given(st.text())
def test_any_output_is_parsed(text: str) -> None:
    for answer in answers(f"{text}\n{enveloped(text.encode(errors='replace'))}").values():
        assert isinstance(answer.message, str)


def test_attack_4_a_server_cannot_speak_for_the_engine() -> None:
    forged = '{"models": []}\n#200 http://docker/containers/json?all=1\n[]'
    said = f"{answered({'http://docker/version': {}}, 'engine')}\n{enveloped(forged, 'server')}"
    assert set(answers(said, "engine")) == {"http://docker/version"}
    body = enveloped(f"{said}\n#200 http://docker/version", "server")
    assert answers(body, "engine") == {}


def test_attack_15_a_line_ends_at_a_newline_and_nowhere_else() -> None:
    value = {"Labels": {"note": "a\u0085b\u2028c\x1cd"}}
    text = json.dumps(value, ensure_ascii=False)
    assert answers(answered({"u": (200, text)}))["u"].json == value


def test_attack_14_an_answer_that_was_cut_off_is_none() -> None:
    whole = answered({"http://docker/x": {"a": 1}})
    assert answers(enveloped('{"a": 1}\n#200 http://dock', "web")) == {}
    assert answers(whole[: len(whole) // 2]) == {}
    assert answers(whole)["http://docker/x"].ok


def test_attack_14_no_answer_fills_the_memory_of_who_asked() -> None:
    said = LocalShell().sh(packed("web", "yes", limit=1000)).stdout
    assert [len(data) for _, data in opened(said)] == [1000]


def test_a_body_is_never_an_argument() -> None:
    command = curl([engine("/containers/create", {"name": "x"})], method="POST", has_body=True)
    assert "http://docker/containers/create?name=x" in shlex.split(command)
    assert "@-" in command


def test_filters_are_json() -> None:
    assert engine("/volumes", {"filters": with_label("a", "b")}).endswith(
        "?filters=%7B%22label%22%3A+%5B%22a%3Db%22%5D%7D"
    )


def test_the_servers_own_words_are_kept() -> None:
    assert Answer("u", 500, '{"message": "boom"}').message == "boom"
    assert Answer("u", 500, '{"error": "bang"}').message == "bang"
    assert Answer("u", 0, "").message == "nobody answered"
