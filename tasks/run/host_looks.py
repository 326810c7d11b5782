"""What deploys/look.py saw of each host, on its way to the console: one JSON file.

pyinfra knows the way to every host and whom to be there; the console reads what it brings back.
"""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tasks.words.failures import Failure

# The environment variable that names the file.
LOOKS = "OLLAMA_STACK_LOOKS"


@dataclass(frozen=True)
class HostLook:
    """One host: its declaration as JSON, what the one look printed, or why nobody could look."""

    declared: str = ""
    output: str = ""
    cause: str = ""
    remedy: str = ""


def write_at_exit(
    looks: Mapping[str, HostLook], unreachable: Callable[[], Mapping[str, list[Failure]]]
) -> None:
    """Write what was seen by the end, and the hosts that nobody reached, where LOOKS says."""
    path = os.environ.get(LOOKS)
    if path:
        atexit.register(_write, Path(path), looks, unreachable)


def _write(
    path: Path,
    looks: Mapping[str, HostLook],
    unreachable: Callable[[], Mapping[str, list[Failure]]],
) -> None:
    silent = {
        host: HostLook(cause=failures[0].cause, remedy=failures[0].remedy)
        for host, failures in unreachable().items()
    }
    values = {host: asdict(look) for host, look in {**looks, **silent}.items()}
    path.write_text(json.dumps(values))


def read(path: Path) -> dict[str, HostLook]:
    """Read what was written; none where nothing was."""
    text = path.read_text()
    values = json.loads(text) if text else {}
    return {host: HostLook(**value) for host, value in values.items()}
