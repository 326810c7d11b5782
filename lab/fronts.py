"""Further fronts of the registries: an nginx and a forwarder each, at ports of their own.

The lab has one front. A process that names another one in LAB_FRONT has it for itself: its faults,
its moved tags and its delays meet nobody else. What is in the registries is the same behind all.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.paths import state_folder

FRONT = "LAB_FRONT"
# The keys of the lab's state that each front has for itself.
KEYS = ("ports", "fault", "moves", "generation")
_NAME = re.compile(r"[a-z][a-z0-9]{0,7}")


def name() -> str:
    """Return the name of the front that this process uses; "" is the lab's own."""
    found = os.environ.get(FRONT, "")
    if found and not _NAME.fullmatch(found):
        raise LabError(f"{FRONT} is {found!r}", "name it with up to 8 small letters and digits")
    return found


def called(stem: str, front: str | None = None) -> str:
    """Return the name of a file or program that each front has: "nginx", "nginx-gw0"."""
    own = name() if front is None else front
    return f"{stem}-{own}" if own else stem


def names() -> tuple[str, ...]:
    """Return the names of all further fronts that were ever brought up."""
    found = state_folder().glob("front-*.json")
    return tuple(sorted(path.stem.partition("-")[2] for path in found))


def read(front: str | None = None) -> dict[str, Any] | None:
    """Return what is a front's own; None for the lab's front, and where there is none yet."""
    path = _file(front)
    if not path.name.startswith("front-") or not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def all_of_them() -> list[dict[str, Any]]:
    """Return what is the own of each further front."""
    return [own for own in map(read, names()) if own is not None]


def write(state: Mapping[str, Any]) -> None:
    """Write what of the lab's state is this front's own, in one step."""
    path = _file(None)
    new = path.with_suffix(".new")
    new.write_text(json.dumps({key: state[key] for key in KEYS}, indent=2) + "\n")
    new.replace(path)


def _file(front: str | None) -> Path:
    return state_folder() / f"{called('front', front)}.json"
