"""What may stand in a small language: in curl's configuration, apt's, a shell, TOML, an .env file.

A declared text goes into several of them, each with its own quoting. What would need quoting in
any of them is refused where it is declared, so that no later place can forget it.
"""

from __future__ import annotations

import unicodedata

from tasks.words import messages

# Controls, what is not seen or turns a line's direction, lone surrogates, breaks of lines.
_UNPRINTABLE = ("Cc", "Cf", "Cs", "Zl", "Zp")
_BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
_QUOTES = "\"'`"


def one_line(text: str) -> str:
    """Return a text of one line without control characters. Raises ValueError with what it has."""
    if any(character in _BREAKS for character in text):
        raise ValueError(messages.TWO_LINES())
    if any(unicodedata.category(character) in _UNPRINTABLE for character in text):
        raise ValueError(messages.HAS_CONTROL())
    return text


def plain(text: str) -> str:
    """Return a text that may stand in a small language: `one_line`, no quotes, no backslashes.

    Raises ValueError with what it has.
    """
    one_line(text)
    if any(character in _QUOTES for character in text):
        raise ValueError(messages.HAS_QUOTE())
    if "\\" in text:
        raise ValueError(messages.HAS_BACKSLASH())
    return text
