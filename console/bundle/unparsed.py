"""A stack.toml that is no TOML: nobody can tell which part of it is a secret. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.declared.stack import Service, Stack
from tasks.records.scrub import MASK, SHORT, secrets_in

KNOWN = frozenset({*Service.model_fields, *Stack.model_fields})
# Of these the values may be secrets; an address is one only where it holds a password.
PRIVATE = frozenset({"environment"})
_TABLE = re.compile(r"\s*\[models(\.[a-z0-9_-]+)?(\.environment)?\](?=\s*(#|$))")
_KEY = re.compile(r"\s*([a-z_]+)\s*=")
_QUOTED = re.compile(r"[\"']([^\"'\n]+)")


def unparsed_secrets(text: str) -> Iterator[str]:
    """Yield everything that may be a secret: all but the values of settings that are none."""
    for line in text.splitlines():
        key = _KEY.match(line)
        _, _, value = line.partition("=")
        if _TABLE.match(line):
            continue
        if key is not None and key[1] in KNOWN - PRIVATE:
            yield from secrets_in(value.strip(" \t\"'"), key[1])
            continue
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
