"""Texts of others, before anybody sees them (attack 13)."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.words.printable import json_text, printable, printable_lines

ODD = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0.24.0", "0.24.0"),
        ("\x1b]0;owned\x07plain", "plain"),
        ("\x1b]52;c;Zm9v\x1b\\plain", "plain"),
        ("\x1b[2J\x1b[31mred\x1b[0m", "red"),
        ("\x9b31mred", "red"),
        ("a\x1b", "a"),
        ("a\nb\r\nc\u0085d\u2028e", "a b c d e"),
        ("abc\u202etxt.exe", "abc?txt.exe"),
        ("a\u200bb", "a?b"),
        ("a\x00b\x7fc", "a?b?c"),
        ("\ud800", "?"),
        ("größer 模型 🦙", "größer 模型 🦙"),
    ],
)
def test_attack_13_escapes_and_controls_reach_nobody(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_lines_stay_lines_where_they_are_wanted() -> None:
    assert printable_lines("a\r\nb\tc\x1b[1m\n\x07") == "a\nb\tc\n?"


def test_a_long_text_is_cut() -> None:
    assert len(printable("x" * 10_000)) == 4000
    assert printable("abcdefgh", 5) == "abc …"


@given(ODD)
def test_nothing_is_left_that_a_terminal_obeys(text: str) -> None:
    for shown in (printable(text), printable_lines(text).replace("\n", "").replace("\t", "")):
        kinds = {unicodedata.category(c) for c in shown}
        assert not kinds & {"Cc", "Cs", "Zl", "Zp"}
        assert not {unicodedata.bidirectional(c) for c in shown} & {
            *("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        }
        shown.encode()


@given(ODD)
def test_what_was_shown_once_is_shown_the_same_again(text: str) -> None:
    assert printable(printable(text)) == printable(text)


def test_prose_keeps_what_joins_letters_and_emoji_and_nothing_else() -> None:
    joined = "می\u200cخواهم ❤\ufe0f 👩\u200d👧"  # noqa: RUF001
    assert printable_lines(f"{joined}\u200b\u202e\x1b[1m", is_prose=True) == f"{joined}??"
    assert "?" in printable_lines(joined)


@given(st.recursive(ODD, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD, inner)))
def test_json_holds_every_value_and_nothing_that_a_terminal_obeys(value: object) -> None:
    plain = json_text(value)
    assert plain.isascii() and plain.isprintable()
    readable = json_text(value, indent=2, is_ascii=False)
    assert printable_lines(readable, len(readable) + 1) == readable
    whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass")
    expected = whole.decode("utf-16", "replace")
    assert json.loads(plain) == json.loads(readable) == json.loads(expected)
