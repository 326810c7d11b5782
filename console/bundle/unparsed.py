"""A stack.toml that is no TOML: nobody can tell which part of it is a secret. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.scrub import MASK, SHORT
from tasks.stack import Service, Stack

KNOWN = frozenset({*Service.model_fields, *Stack.model_fields})
_TABLE = re.compile(r"\s*\[models(\.[a-z0-9_-]+)?(\.environment)?\](?=\s*(#|$))")
_KEY = re.compile(r"\s*([a-z_]+)\s*=")
_QUOTED = re.compile(r"[\"']([^\"'\n]+)")


def unparsed_secrets(text: str) -> Iterator[str]:
    """Yield everything that may be a secret: all but the values of settings that exist."""
    for line in text.splitlines():
        key = _KEY.match(line)
        if _TABLE.match(line) or (key is not None and key[1] in KNOWN):
            continue
        _, _, value = line.partition("=")
        found = {line, value, *_QUOTED.findall(line)}
        yield from (part for part in (f.strip(" \t\"'#") for f in found) if len(part) >= SHORT)


def without_values(text: str) -> str:
    """Keep of a file that nobody can parse the names of settings that exist, and nothing else.

    Any other line may be a part of a value that goes over several.
    """
    kept = []
    for line in text.splitlines():
        table, key = _TABLE.match(line), _KEY.match(line)
        if table is not None:
            kept.append(table[0].strip())
        elif key is not None and key[1] in KNOWN:
            kept.append(f"{key[1]} = {MASK}")
        else:
            kept.append(MASK if line.strip() else "")
    return "\n".join(kept) + "\n"
