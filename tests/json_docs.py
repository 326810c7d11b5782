"""docs/json.md, read: the examples of each verb, and how another value differs from them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tasks.declared.layers import ROOT

TEXT = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
_SECTION = re.compile(r"(?ms)^## (?P<verbs>[^\n]+)\n(?P<body>.*?)(?=^## |\Z)")
_EXAMPLE = re.compile(r"(?s)```json\n(.*?)```")
# The examples of each verb; what they share is a section of all of them.
EXAMPLES: dict[str, list[Any]] = {
    verb: [json.loads(example) for example in _EXAMPLE.findall(section["body"])]
    for section in _SECTION.finditer(TEXT)
    for verb in section["verbs"].split(", ")
}
# A setting may be of any type.
OF_ANY_TYPE = {"value"}
TROUBLE = json.loads(_EXAMPLE.findall(TEXT.partition("\n## ")[0])[0])


def documented(verb: str) -> Any:
    """Return the whole shape of a verb; a second example fills in what the first has empty."""
    first, *more = EXAMPLES[verb]
    for example in more:
        assert example.keys() <= first.keys(), verb
        first = first | example
    return first


def differences(documented: Any, real: Any, path: str = "") -> Iterator[str]:
    """Yield the keys that only one of them has, and the values of different types."""
    if isinstance(documented, dict) and isinstance(real, dict):
        for key in documented.keys() ^ real.keys():
            where = "documented" if key in documented else "real"
            yield f"{path}.{key} is only {where}"
        for key in (documented.keys() & real.keys()) - OF_ANY_TYPE:
            yield from differences(documented[key], real[key], f"{path}.{key}")
    elif isinstance(documented, list) and isinstance(real, list):
        for item in real if documented else ():
            yield from differences(documented[0], item, f"{path}[]")
    elif None not in (documented, real) and _kind(documented) != _kind(real):
        yield f"{path} is documented as {documented!r} and really {real!r}"


def _kind(value: Any) -> type:
    return float if type(value) is int else type(value)
