"""The one way in for TOML that people write: limits, and one error for whatever it may be.

A file may be anything: a folder, a pipe that never ends, megabytes, a key of thousands of parts, a
number that no program can hold. Source: TOML 1.0 (whole numbers have 64 bits).
"""

from __future__ import annotations

import math
import os
import re
import stat
import tomllib
from pathlib import Path
from typing import Any

from tasks.words.foreign import BadAnswer

KIB = 1024
# A declaration of twenty services with all their settings has some 20 KiB.
LARGEST = 256 * KIB
# The deepest of ours (a variable of a service) has four.
DEEPEST = 50
# In dots. Lines of a comment or of a long text may have more of them than keys.
LONGEST_KEY = 200
_LIMIT = 2**63
_TEXT = re.compile(r'"(?:[^"\\\n]|\\.)*"|' + r"'[^'\n]*'")
_BETWEEN_KEYS = re.compile(r"[,=\n#\[\]{}]")


def read_toml(path: Path) -> dict[str, Any]:
    """Read a file that is there. Raises BadAnswer, and OSError where it cannot be read."""
    content = _content(path)
    if len(content) > LARGEST:
        raise BadAnswer(f"is larger than {LARGEST // KIB} KiB: a declaration has only settings")
    try:
        return parse_toml(content.decode().replace("\r\n", "\n").replace("\r", "\n"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise BadAnswer(f"is not valid TOML: line {line} is not UTF-8: save it as UTF-8") from None


def _content(path: Path) -> bytes:
    # Without waiting: a pipe that nobody writes into would keep us for ever.
    opened = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = os.fstat(opened).st_mode
        # /dev/null is the usual word for no settings at all.
        if not stat.S_ISREG(mode) and path != Path(os.devnull):
            kind = "a folder" if stat.S_ISDIR(mode) else "no ordinary file"
            raise BadAnswer(f"is {kind}: move it away, and write a file in its place")
        with open(opened, "rb", closefd=False) as file:
            return file.read(LARGEST + 1)
    finally:
        os.close(opened)


def parse_toml(text: str) -> dict[str, Any]:
    """Parse a text. Raises BadAnswer."""
    _check_keys(text)
    try:
        found = tomllib.loads(text)
    except RecursionError:
        raise BadAnswer(f"is nested deeper than {DEEPEST} levels: make it flatter") from None
    except ValueError as error:
        raise BadAnswer(f"is not valid TOML: {error}") from None
    _check_values(found)
    return found


def _check_keys(text: str) -> None:
    """See that no key has thousands of parts: they take time by their square."""
    if text.count(".") <= DEEPEST:
        return
    for piece in _BETWEEN_KEYS.split(_TEXT.sub("", text)):
        if piece.count(".") > LONGEST_KEY:
            raise BadAnswer(f"has a key, or a line, of more than {LONGEST_KEY} dots: shorten it")


def _check_values(found: dict[str, Any]) -> None:
    left: list[tuple[str, int, Any]] = [("", 0, found)]
    while left:
        where, depth, value = left.pop()
        if depth > DEEPEST:
            raise BadAnswer(f"is nested deeper than {DEEPEST} levels: make it flatter")
        if isinstance(value, dict):
            left += ((f"{where}.{key}"[:100].strip("."), depth + 1, v) for key, v in value.items())
            _check_text(where, "".join(value))
        elif isinstance(value, list):
            left += ((where, depth + 1, one) for one in value)
        elif isinstance(value, str):
            _check_text(where, value)
        elif isinstance(value, int) and not -_LIMIT <= value < _LIMIT:
            raise BadAnswer(f"has a number of more than 64 bits in {where}: write a smaller one")
        elif isinstance(value, float) and not math.isfinite(value):
            raise BadAnswer(f"has no finite number in {where}: write one")


def _check_text(where: str, text: str) -> None:
    if "\0" in text:
        raise BadAnswer(f"has a NUL character in {where or 'a key'}: take it out")
