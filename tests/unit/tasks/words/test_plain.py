"""What may stand in a small language."""

from __future__ import annotations

import shlex
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.words.plain import one_line, plain


@pytest.mark.parametrize("text", ["", "code completion", "/etc/Müller (1).pem", "a=b;c$d", "日本"])
def test_plain_texts_are_taken_as_they_are(text: str) -> None:
    assert plain(text) == one_line(text) == text


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("a\nb", "line break"),
        ("a\u2028", "line break"),
        ("a\x85", "line break"),
        ("a\tb", "control character"),
        ("\x1b[2J", "control character"),
        ("a\u202eb", "control character"),
        ("\ud800", "control character"),
        ("a'b", "quote"),
        ('a"b', "quote"),
        ("a`b", "quote"),
        ("a\\b", "backslash"),
    ],
)
def test_attack_21_what_may_not_stand_there_is_named(text: str, cause: str) -> None:
    with pytest.raises(ValueError, match=cause):
        plain(text)


@given(st.text())
def test_attack_21_between_quotes_a_plain_text_stays_what_it_is(text: str) -> None:
    try:
        plain(text)
    except ValueError:
        return
    assert shlex.split(f"'{text}'") == [text]
    assert tomllib.loads(f'a = "{text}"') == {"a": text}
    assert len(f'cacert = "{text}"'.splitlines()) == 1
