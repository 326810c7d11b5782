"""Services as clients see them, and a user of a host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tasks.clients.look import ObservedFile, ObservedUser
from tasks.clients.wiring import Shows, Wiring, wiring_of
from tasks.containers.observed import Snapshot
from tasks.declared.stack import Stack
from tasks.servers.abilities import Show
from tests.unit.tasks.samples import stack

CODER = Show(frozenset({"completion", "insert", "tools"}), 32768)
AGENT = Show(frozenset({"completion", "tools", "thinking"}), 40960)
REASONER = Show(frozenset({"completion", "thinking"}), 131072)
WRITER = Show(frozenset({"completion", "tools"}), 32768)
EMBEDDER = Show(frozenset({"embedding"}), 2048)
SHOWS: Shows = {
    ("qwen", "qwen2.5-coder:7b"): CODER,
    ("qwen", "qwen3:4b"): AGENT,
    ("deepseek", "deepseek-r1:8b"): REASONER,
    ("mistral", "mistral:7b"): WRITER,
}


def declared(**settings: Any) -> Stack:
    """Declare the three services, qwen with a model of its own for agents."""
    models = {name: dict(table) for name, table in settings.pop("models", {}).items()}
    models["qwen"] = {"agent": "qwen3:4b", "model": "qwen2.5-coder:7b", **models.get("qwen", {})}
    return stack(models=models, **settings)


def wiring(shows: Shows = SHOWS, **settings: Any) -> Wiring:
    """Return what clients are wired to."""
    return wiring_of(declared(**settings), Snapshot(), shows)


def user(files: Mapping[str, bytes] = {}, **changes: Any) -> ObservedUser:
    """Return a user with these files, by place."""
    home = "/home/hector"
    found = ObservedUser("hector", 1000, home, f"{home}/.config", f"{home}/.local/state", **changes)
    seen = {place: file(found.path(place), content) for place, content in files.items()}
    return ObservedUser(**{**found.__dict__, "files": {**seen, **found.files}})


def file(path: str, content: bytes, **changes: Any) -> ObservedFile:
    """Return a file of that user's."""
    told = {
        "kind": "file",
        "mode": 0o644,
        "uid": 1000,
        "owner": "hector",
        "size": len(content),
        "is_writable": True,
        "is_replaceable": True,
        "content": content,
    }
    return ObservedFile(path, path, **{**told, **changes})
