"""JSON from outside: every oddity is one error (attacks 14 and 17)."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.words.foreign import BadAnswer, Fields, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[" * 100_000,
        '{"a":' * 5000 + "1" + "}" * 5000,
        "1" * 5000,
        '{"size": 1e400}',
        f'{{"size": {10**400}}}',
        "NaN",
        "[Infinity]",
        '"\\ud800"',
        '{"a": "\\uDfff"}',
        b"\xff\xfe",
    ],
)
def test_attack_17_what_nobody_expects_is_one_error(text: str | bytes) -> None:
    with pytest.raises(BadAnswer):
        read_json(text)


def test_attack_14_more_than_the_limit_is_not_read() -> None:
    with pytest.raises(BadAnswer, match="more than"):
        read_json('["' + "x" * 100 + '"]', limit=50)


def test_brackets_in_texts_are_no_depth() -> None:
    value = {"a": "[" * 500, "b": ['\\"{' * 200]}
    assert read_json(json.dumps(value)) == value


def test_pairs_of_surrogates_are_text() -> None:
    assert read_json('"\\ud83e\\udd99"') == "🦙"


@given(st.text() | st.binary())
def test_anything_is_json_or_one_error(text: str | bytes) -> None:
    try:
        read_json(text)
    except BadAnswer as error:
        assert str(error)


@given(VALUES)
def test_every_field_has_its_type_or_is_one_error(value: object) -> None:
    try:
        found = Fields({"x": value})
        assert isinstance(found.text("x"), str)
    except BadAnswer:
        pass
    for read in ("number", "size", "flag", "items", "texts", "labels", "object", "needed"):
        try:
            getattr(Fields({"x": value}), read)("x")
        except BadAnswer as error:
            assert "x" in str(error) or "it" in str(error)


def test_what_is_missing_is_empty() -> None:
    found = Fields({"null": None})
    assert (found.text("null"), found.number("no"), found.items("no"), found.labels("no")) == (
        *("", 0, []),
        {},
    )
    assert found.object("no").text("deeper") == ""
    with pytest.raises(BadAnswer, match="has no Id"):
        found.needed("Id")


def test_a_number_is_whole_and_no_boolean() -> None:
    assert Fields({"n": 3.0}).number("n") == 3
    for odd in (True, 1.5, "1"):
        with pytest.raises(BadAnswer):
            Fields({"n": odd}).number("n")
    with pytest.raises(BadAnswer):
        Fields({"n": -1}).size("n")
