"""No text of the source goes or comes unless it is listed with a reason (README.md)."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.recorded.texts import Rewritten, compare, texts_in, texts_of

HERE = Path(__file__).parent
RECORDED, REWRITTEN = HERE / "texts.txt", HERE / "rewritten.txt"


def test_every_text_is_as_recorded_or_listed() -> None:
    if os.environ.get("RECORD") == "texts":
        RECORDED.write_text("\n".join(sorted(texts_of())) + "\n")
        return
    recorded = set(RECORDED.read_text().splitlines())
    assert len(recorded) > 1000
    problems = compare(recorded, texts_of(), Rewritten.parse(REWRITTEN.read_text()))
    if problems:
        pytest.fail("\n\n".join(problems), pytrace=False)


def test_an_f_string_is_one_template_whatever_its_variables_are_called() -> None:
    one = "x = f'{a.b} of {c!r} and {d:.1f}, {e:>{w}}' f' more {\"in a value\"}'"
    other = one.replace("a.b", "y(z)").replace("{d:", "{q:").replace("{w}", "{v}")
    assert [*texts_in(one)] == ["'{} of {!r} and {:.1f}, {:>{}} more {}'", "'in a value'"]
    assert [*texts_in(other)] == [*texts_in(one)]


def test_a_message_is_the_template_that_an_f_string_was() -> None:
    message = "x = Message('room.id', '{a} of {c!r} and {d:.1f}: {lines}')"
    assert [*texts_in(message)] == [*texts_in("x = f'{a} of {c!r} and {d:.1f}: {e}'")]


def test_documentation_and_single_words_are_no_texts() -> None:
    source = (
        '"""Of a module."""\ndef f():\n    """Of a function."""\n    return "word", "two words"'
    )
    assert [*texts_in(source)] == ["'two words'"]


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        ("", ["- 'an old'", "+ 'a new'", "# WHY"]),
        ("# shorter\n- 'an old'\n", ["+ 'a new'"]),
        ("- 'an old'\n+ 'a new'\n", ['no "# why"']),
        ("# shorter\n- 'an old'\n+ 'a new'\n+ 'never there'\n", ["take these lines out"]),
        ("# shorter\n- 'an old'\n+ 'a new'\n- 'the same'\n", ["take these lines out"]),
        ("# shorter\nan old\n", ["begins with none of"]),
    ],
)
def test_what_is_not_listed_well_is_named(listed: str, words: list[str]) -> None:
    recorded, now = {"'an old'", "'the same'"}, {"'a new'", "'the same'"}
    problems = "\n".join(compare(recorded, now, Rewritten.parse(listed)))
    for word in words:
        assert word in problems


@pytest.mark.parametrize(
    "listed",
    [
        "# shorter\n- 'an old'\n+ 'a new'\n",
        # Twice rewritten.
        "# shorter\n- 'an old'\n+ 'between'\n\n# and better\n- 'between'\n+ 'a new'\n",
    ],
)
def test_what_is_listed_is_in_order(listed: str) -> None:
    assert compare({"'an old'"}, {"'a new'"}, Rewritten.parse(listed)) == []
