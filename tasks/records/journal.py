"""What a run plans, does and fails at, line by line, for the program that started it.

Each line is written when it happens, so that the lines of a run that is killed are there as well.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

# The environment variable that names the file.
JOURNAL = "OLLAMA_STACK_JOURNAL"

Kind = Literal["planned", "change", "failure", "note"]


def write(kind: Kind, **values: str) -> None:
    """Write a line, where anybody asked for a journal."""
    path = os.environ.get(JOURNAL)
    if not path:
        return
    # A full disk, or a reader that is gone, is no reason to end a run half-way.
    with suppress(OSError), Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps({"kind": kind, **values}) + "\n")


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines; one that was cut off half-way is left out."""
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue
