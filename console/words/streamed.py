"""A foreign text that comes in pieces: an escape may be cut anywhere, and is an escape still."""

from __future__ import annotations

import re

from tasks.words.printable import LONGEST, WHOLE, printable_lines

# What may be the beginning of an escape sequence, or of a "\r\n", at the end of a piece.
_BEGUN = re.compile(
    r"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*\x1b?"
    r"|\x1b[ -/]*|\r)\Z"
)


class Streamed:
    """Makes pieces printable, each as soon as it is known what it is.

    `is_prose`: an answer in some language. Source of the sequences: ECMA-48, as in `printable`.
    """

    def __init__(self, *, is_prose: bool = False) -> None:
        self.is_prose = is_prose
        self.held = ""

    def take(self, piece: str) -> str:
        """Return what can be shown of all that came so far; what may go on is held back."""
        text = self.held + piece
        # A sequence that is longer is none that anybody waits for.
        begun = _BEGUN.search(text, max(0, len(text) - LONGEST))
        at = begun.start() if begun is not None else len(text)
        self.held = text[at:]
        return printable_lines(text[:at], WHOLE, is_prose=self.is_prose)

    def end(self) -> str:
        """Return what was held back, where nothing comes any more."""
        held, self.held = self.held, ""
        return printable_lines(held, WHOLE, is_prose=self.is_prose)
