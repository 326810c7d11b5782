"""Imports go down: a room of tasks/ knows the rooms below it, and none beside or above it.

docs/architecture.md draws the rooms. A new room is added here, on the lowest floor above all that
it imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tasks.declared.layers import ROOT

FLOORS = (
    ("words",),
    ("declared", "files", "shell"),
    ("records",),
    ("run",),
    ("host", "containers"),
    ("apt", "registry", "servers", "models", "database"),
    ("nvidia", "docker_engine", "clients"),
    ("container_toolkit", "vram"),
    ("services",),
    ("converge",),
    ("upgrade",),
)
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS, 1) for room in rooms}
# Arrows that still run back up, as (file, room). This list only shrinks.
ALLOWED: frozenset[tuple[str, str]] = frozenset()


def imported(path: Path) -> Iterator[str]:
    """Return the modules that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows() -> Iterator[tuple[str, str, str]]:
    """Return each file of tasks/ with its room and a room that it imports."""
    for path in sorted((ROOT / "tasks").rglob("*.py")):
        parts = path.relative_to(ROOT / "tasks").parts
        rooms = {m.split(".")[1] for m in imported(path) if m.startswith("tasks.")} & {*FLOOR}
        yield from (("/".join(parts), parts[0], room) for room in sorted(rooms - {parts[0]}))


def test_every_room_has_a_floor() -> None:
    rooms = {path.parent.name for path in (ROOT / "tasks").glob("*/__init__.py")}
    assert rooms == {*FLOOR}
    assert [path.name for path in (ROOT / "tasks").glob("*.py")] == ["__init__.py"]


def test_imports_go_down() -> None:
    up = {(file, to) for file, room, to in arrows() if FLOOR[to] >= FLOOR[room]}
    assert up - ALLOWED == set()
    assert ALLOWED - up == set(), "these are mended: take them out of ALLOWED"


def test_tasks_know_nothing_of_the_console() -> None:
    knowing = [
        p
        for p in (ROOT / "tasks").rglob("*.py")
        if any(name.split(".")[0] in ("console", "deploys", "tests") for name in imported(p))
    ]
    assert knowing == []
