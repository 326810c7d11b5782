"""What a fact's script prints: parts that begin with a line "##name", and lines of "key=value"."""

from __future__ import annotations

from collections.abc import Iterable

MARK = "##"
# So that messages are in English and /sbin's tools are found, whoever the user is.
PRELUDE = 'export LC_ALL=C PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"'
# pyinfra decodes output strictly: what may hold any byte goes through this first.
ONLY_ASCII = r"tr -c '\11\12\40-\176' '?'"


def sections(lines: Iterable[str]) -> dict[str, list[str]]:
    """Split lines at their marks. What stands before the first mark has the name ""."""
    found: dict[str, list[str]] = {"": []}
    current = found[""]
    for line in lines:
        if line.startswith(MARK):
            current = found.setdefault(line.removeprefix(MARK).strip(), [])
        else:
            current.append(line)
    return found


def values(lines: Iterable[str]) -> dict[str, str]:
    """Turn lines of "key=value" into a mapping; other lines are left out, the last one wins."""
    pairs = (line.partition("=") for line in lines)
    return {key.strip(): value.strip() for key, mark, value in pairs if mark}


def number(text: str | None, default: int = 0) -> int:
    """Return a whole number, or `default` where the text is none."""
    try:
        return int((text or "").strip())
    except ValueError:
        return default
