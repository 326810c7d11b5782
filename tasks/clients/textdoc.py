"""What the documents of all formats share: text with its newlines and mark, and its faults."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Any, Protocol

from tasks.clients import messages
from tasks.words.messages import Text
from tasks.words.printable import printable

Path = tuple[Any, ...]
# A reason may quote the document.
LONGEST_QUOTE = 175
_INDENTATION = re.compile("[ \t]*")


class Invalid(Exception):
    """A document that cannot be read, or not be edited safely. `line` counts from 1."""

    def __init__(self, line: int, reason: Text) -> None:
        self.line, self.reason = line, reason
        super().__init__(f"line {line}: {self.reason}")


def quoted(key: str) -> str:
    """Return a key of a document, for a reason."""
    return printable(repr(key), LONGEST_QUOTE)


class Missing:
    """What stands at a path at which nothing stands."""


MISSING = Missing()


class Document(Protocol):
    """A text that is edited by paths; everything else of it stays byte for byte."""

    def get(self, path: Path) -> Any:
        """Return the value at a path; MISSING where there is none."""

    def can_hold(self, path: Path) -> bool:
        """Tell whether a value may be set at a path: nothing above it is something else."""

    def set(self, path: Path, value: Any) -> list[Path]:
        """Set a value; returns the parents that had to be made."""

    def remove(self, path: Path) -> None:
        """Take a value out, if it is there."""

    @property
    def is_blank(self) -> bool:
        """Tell whether nothing but an empty container is left."""

    def to_bytes(self) -> bytes:
        """Return the whole document."""


@dataclass(frozen=True)
class Encoding:
    """How a text was written: with a byte order mark or not, and the end of its lines."""

    mark: bytes = b""
    newline: str = "\n"

    @classmethod
    def read(cls, content: bytes) -> tuple[Encoding, str]:
        """Decode a document. Raises Invalid where it is no UTF-8."""
        mark = codecs.BOM_UTF8 if content.startswith(codecs.BOM_UTF8) else b""
        try:
            text = content[len(mark) :].decode()
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            raise Invalid(line, messages.NO_UTF8()) from None
        first = text.find("\n")
        newline = "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"
        return cls(mark, newline), text

    def write(self, text: str) -> bytes:
        """Encode a document."""
        return self.mark + text.encode()


def line_of(text: str, offset: int) -> int:
    """Return the line of an offset, from 1."""
    return text.count("\n", 0, offset) + 1


def end_of_line(text: str, offset: int) -> int:
    """Return where the line of an offset ends, before its newline."""
    found = text.find("\n", offset)
    if found < 0:
        return len(text)
    return found - 1 if found > offset and text[found - 1] == "\r" else found


def start_of_line(text: str, offset: int) -> int:
    """Return where the line of an offset begins."""
    return text.rfind("\n", 0, offset) + 1


def indentation(text: str, offset: int) -> str:
    """Return the blanks with which the line of an offset begins."""
    found = _INDENTATION.match(text, start_of_line(text, offset))
    return found[0] if found else ""
