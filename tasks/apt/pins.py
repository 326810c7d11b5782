"""Packages held to a declared version: which of those that apt offers is meant. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.words.versions import numbers, upstream


def offered(madison: Iterable[str]) -> list[str]:
    """Parse `apt-cache madison PACKAGE` ("name | version | source"): versions, the newest first."""
    rows = (line.split("|") for line in madison)
    return list(dict.fromkeys(row[1].strip() for row in rows if len(row) >= 3))


def is_pinned(version: str, pin: str) -> bool:
    """Tell whether a pin means a package's version: "29.0" means 29.0.1 and not 29.1."""
    wanted = numbers(pin)
    return numbers(upstream(version))[: len(wanted)] == wanted


def chosen(versions: Iterable[str], pin: str) -> str:
    """Return the first, and so the newest, version that a pin means; "" for none."""
    return next((version for version in versions if is_pinned(version, pin)), "")


def shown(versions: Iterable[str]) -> str:
    """Return some versions for people, the newest first; "none" for none."""
    few = list(dict.fromkeys(upstream(version) for version in versions))[:5]
    return ", ".join(few) or "none"


def other_version_note(what: str, setting: str, version: str, pin: str) -> tuple[str, ...]:
    """Say that what is installed is not what is pinned: nothing that works is replaced for it."""
    if not (pin and version) or is_pinned(version, pin):
        return ()
    return (
        f"{what} is {upstream(version)} here, and {setting} is {pin}: a converge does not replace"
        " what is installed; do it by hand when that suits you (apt-cache madison lists versions)",
    )
