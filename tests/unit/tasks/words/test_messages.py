"""A text knows what it was made of."""

from __future__ import annotations

import copy
import json
import pickle
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.words.messages import Message, Text

DISK = Message("words.disk", "{path} has {free:.1f} GB free")
names = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
values = st.one_of(st.text(), st.integers(), st.floats())


def test_a_text_is_its_words_and_knows_its_message() -> None:
    text = DISK(path="/var", free=2.25)
    assert text == "/var has 2.2 GB free"
    assert (text.message.id, text.fields) == ("words.disk", {"path": "/var", "free": 2.25})
    assert json.dumps(text) == '"/var has 2.2 GB free"'


def test_a_field_that_nobody_fills_is_a_fault() -> None:
    with pytest.raises(KeyError):
        DISK(path="/var")


@given(fields=st.dictionaries(names, values, max_size=4), between=st.text())
def test_whatever_fills_it_a_text_can_be_said_anew_from_what_it_knows(
    fields: dict[str, str | int | float], between: str
) -> None:
    between = between.replace("{", "{{").replace("}", "}}")
    template = between.join(f"{{{name}}}" for name in fields)
    text = Message("words.any", template)(**fields)
    assert text == between.replace("{{", "{").replace("}}", "}").join(map(str, fields.values()))
    assert Text(text.message, text.fields) == text
    assert {name for _, name, _, _ in Formatter().parse(template) if name} == {*text.fields}


@given(path=st.text(), free=st.integers())
def test_a_copy_of_a_text_knows_as_much(path: str, free: int) -> None:
    text = DISK(path=path, free=free)
    for again in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert (type(again), again) == (Text, text)
        assert (again.message, again.fields) == (text.message, text.fields)
