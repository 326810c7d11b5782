"""Causes and remedies: each stands once, in the catalogue of its room, and has an id.

The catalogue of a room is its `messages.py`. What a text was made of travels with it, so that it
can be looked up, or said in another language, without reading it back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

Field = str | int | float


@dataclass(frozen=True)
class Message:
    """What may be said: its id, "room.what-it-is", and its words with {fields} in them."""

    id: str
    template: str

    def __call__(self, **fields: Field) -> Text:
        """Return the words with their fields filled in."""
        return Text(self, fields)


class Text(str):
    """What is said: the words of a message, that message, and what its fields were filled with."""

    message: Message
    fields: Mapping[str, Field]

    def __new__(cls, message: Message, fields: Mapping[str, Field]) -> Self:
        """Fill the fields of a message in."""
        text = super().__new__(cls, message.template.format(**fields))
        text.message, text.fields = message, fields
        return text

    def __reduce__(self) -> tuple[type[Text], tuple[Message, Mapping[str, Field]]]:
        """Tell how a copy is made: `str` knows only the words."""
        return type(self), (self.message, self.fields)


RUN_AGAIN = Message("words.run-again", "run again")
THIS_SYSTEM = Message("words.this-system", "this system")

# Why a text cannot stand in a small language (see plain.py).
TWO_LINES = Message("words.two-lines", "should be one line: it holds a line break")
HAS_CONTROL = Message("words.has-control", "should be plain text: it holds a control character")
HAS_QUOTE = Message("words.has-quote", "should be plain text: it holds a quote")
HAS_BACKSLASH = Message("words.has-backslash", "should be plain text: it holds a backslash")
