"""The one way in for JSON that comes from outside: limits, and fields of a type that is asked for.

Registries, engines, servers and files of users may send anything: gigabytes, a thousand brackets,
numbers of five thousand digits, a list where an object belongs. All of it is one error here.
Source: RFC 8259, 9 (an implementation may set limits on size, depth, range and precision).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

MIB = 1024**2
# A list of the engine's with thousands of containers has a few MiB.
LARGEST = 16 * MIB
# The deepest answer that is known (the engine's inspect) has ten levels.
DEEPEST = 100
# A number of 64 bits has at most 19.
MOST_DIGITS = 19
_TOKENS = re.compile(r'"(?:[^"\\]|\\.)*"|([\[{])|([\]}])')


class BadAnswer(ValueError):
    """What came from outside is not what it has to be; its text is the cause, in plain words."""


def read_json(text: str | bytes, limit: int = LARGEST) -> Any:
    """Parse JSON from outside; `limit` is in bytes. Raises BadAnswer."""
    if len(text) > limit:
        raise BadAnswer(f"it has more than {limit / MIB:g} MiB")
    try:
        text = text.decode() if isinstance(text, bytes) else text
        _check_depth(text)
        value = json.loads(text, parse_int=_whole, parse_float=_finite, parse_constant=_no_constant)
        if "\\ud" in text.lower():
            # A lone surrogate is no text: nothing could write it down.
            json.dumps(value, ensure_ascii=False).encode()
    except BadAnswer:
        raise
    except (ValueError, RecursionError):
        # UnicodeError is a ValueError too.
        raise BadAnswer("it is no JSON") from None
    return value


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEEPEST:
        return
    depth = 0
    for token in _TOKENS.finditer(text):
        depth += (token[1] is not None) - (token[2] is not None)
        if depth > DEEPEST:
            raise BadAnswer(f"it is nested deeper than {DEEPEST} levels")


def _whole(digits: str) -> int:
    if len(digits.lstrip("-")) > MOST_DIGITS:
        raise BadAnswer(f"it has a number of more than {MOST_DIGITS} digits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BadAnswer("it has a number that is too large")
    return value


def _no_constant(name: str) -> Any:
    raise BadAnswer(f"it has {name} where a number belongs")


class Fields:
    """A JSON object from outside, read field by field.

    Every method raises BadAnswer where the field is of another type than is asked for. A field that
    is missing or null counts as empty (0, "", False, no items), but for `needed`.
    """

    def __init__(self, value: object, what: str = "it") -> None:
        if not isinstance(value, Mapping):
            raise BadAnswer(f"{what} is no JSON object")
        self.value: Mapping[str, Any] = value
        self.what = what

    def needed(self, name: str) -> str:
        """Return a text that has to be there and not empty."""
        found = self.text(name)
        if not found:
            raise BadAnswer(f"{self.what} has no {name}")
        return found

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        found = self._of(str, name)
        return default if found is None else found

    def number(self, name: str) -> int:
        """Return a whole number; one with nothing behind its point counts as one."""
        found = self.value.get(name)
        if isinstance(found, float) and found.is_integer():
            return int(found)
        return int(self._of(int, name) or 0)

    def size(self, name: str) -> int:
        """Return a number of bytes or of things: whole, and not below nothing."""
        found = self.number(name)
        if found < 0:
            raise BadAnswer(f"{self.what} has a {name} below nothing")
        return found

    def flag(self, name: str) -> bool:
        """Return true or false."""
        return bool(self._of(bool, name))

    def items(self, name: str) -> list[Any]:
        """Return a list of anything."""
        return self._of(list, name) or []

    def texts(self, name: str) -> list[str]:
        """Return a list of texts."""
        found = self.items(name)
        if not all(isinstance(item, str) for item in found):
            raise BadAnswer(f"{self.what} has something else than texts in {name}")
        return found

    def objects(self, name: str) -> Iterator[Fields]:
        """Yield the objects of a list."""
        for item in self.items(name):
            yield Fields(item, f"an item of {name}")

    def object(self, name: str) -> Fields:
        """Return an object inside this one."""
        return Fields(self._of(dict, name) or {}, name)

    def labels(self, name: str) -> dict[str, str]:
        """Return an object of texts alone, such as labels."""
        found = self._of(dict, name) or {}
        if not all(isinstance(item, str) for item in found.values()):
            raise BadAnswer(f"{self.what} has something else than texts in {name}")
        return dict(found)

    def _of(self, kind: type, name: str) -> Any:
        found = self.value.get(name)
        # True is an int for Python, and is none here.
        is_wrong = not isinstance(found, kind) or (kind is int and isinstance(found, bool))
        if found is not None and is_wrong:
            raise BadAnswer(f"{self.what} has a {name} of another kind than it should be")
        return found
