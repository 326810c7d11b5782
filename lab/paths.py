"""Where the lab keeps its things: one cache folder and one state folder, nothing else."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from lab.errors import LabError

_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")


def cache_folder() -> Path:
    """Return the folder of what is slow to make and the same for every lab; made if absent."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return _made(Path(base) / "ollama-stack")


def state_folder() -> Path:
    """Return the folder of this lab (LAB_STATE, or under XDG_STATE_HOME); not made."""
    given = os.environ.get("LAB_STATE")
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    folder = Path(given).resolve() if given else Path(base) / "ollama-stack" / "lab"
    if not _PLAIN.fullmatch(str(folder)):
        # It stands in nginx's configuration and in command lines that are searched for it.
        raise LabError(
            f"the lab's state folder {folder} has letters that it cannot work with",
            "set LAB_STATE to a path of letters, digits and ._-/",
        )
    return folder


def made_state_folder(name: str) -> Path:
    """Return a folder inside the state folder; made if absent."""
    return _made(state_folder() / name)


def lab_id() -> str:
    """Return eight characters that tell this lab from another one on the same machine."""
    return hashlib.sha256(str(state_folder()).encode()).hexdigest()[:8]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder
