"""Texts that we did not write, for Rich: no markup, no emoji by name, nothing that is obeyed."""

from __future__ import annotations

from rich.text import Text

from tasks.words.printable import WHOLE, printable, printable_lines


def safe(text: object, style: str = "") -> Text:
    """Return a text as one line of a table or a view, its brackets as they are."""
    return Text(printable(text, WHOLE), style)


def safe_lines(text: object, style: str = "", *, is_prose: bool = False) -> Text:
    """Return a text that has lines of its own; `is_prose`: an answer in some language."""
    return Text(printable_lines(text, is_prose=is_prose), style)
