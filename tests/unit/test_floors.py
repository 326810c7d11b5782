"""Imports go down: a room knows the rooms below it, and none beside or above it.

docs/architecture.md draws the rooms. A new room is added here, on the lowest floor above all that
it imports.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tasks.declared.layers import ROOT

Floors = Mapping[str, tuple[tuple[str, ...], ...]]
FLOORS: Floors = {
    "tasks": (
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
    ),
    # Of the console also the few modules that stand in no room.
    "console": (
        ("words",),
        ("say", "version", "verbose", "run_pyinfra"),
        ("group", "looking", "using"),
        ("names", "complete", "changing", "checks"),
        ("bundle", "app"),
        ("verbs",),
        ("cli",),
    ),
}
FLOOR = {
    tree: {room: floor for floor, rooms in enumerate(floors, 1) for room in rooms}
    for tree, floors in FLOORS.items()
}
# Arrows that still run back up, as (file, room). This list only shrinks.
ALLOWED: Mapping[str, frozenset[tuple[str, str]]] = {
    "tasks": frozenset(),
    "console": frozenset(),
}


def imported(path: Path) -> Iterator[str]:
    """Return the modules that a file imports, wherever in it the import stands."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(tree: str) -> list[Path]:
    """Return the files of a tree."""
    return sorted((ROOT / tree).rglob("*.py"))


def arrows(tree: str) -> Iterator[tuple[str, str, str]]:
    """Return each file of a tree with its room and a room that it imports."""
    for path in files(tree):
        parts = path.relative_to(ROOT / tree).parts
        room = parts[0].removesuffix(".py")
        rooms = {m.split(".")[1] for m in imported(path) if m.startswith(f"{tree}.")}
        for to in sorted(rooms & {*FLOOR[tree]} - {room}):
            yield "/".join(parts), room, to


def module_of(path: Path) -> str:
    """Name a file as it is imported."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("tree", FLOORS)
def test_every_room_has_a_floor(tree: str) -> None:
    rooms = {path.parent.name for path in (ROOT / tree).glob("*/__init__.py")}
    alone = {path.stem for path in (ROOT / tree).glob("*.py")} - {"__init__"}
    assert rooms | alone == {*FLOOR[tree]}
    assert tree == "console" or not alone


@pytest.mark.parametrize("tree", FLOORS)
def test_imports_go_down(tree: str) -> None:
    floor, allowed = FLOOR[tree], ALLOWED[tree]
    up = {(file, to) for file, room, to in arrows(tree) if floor[to] >= floor[room]}
    assert up - allowed == set()
    assert allowed - up == set(), "these are mended: take them out of ALLOWED"


def test_no_files_import_each_other_in_a_circle() -> None:
    modules = {module_of(path): path for tree in FLOORS for path in files(tree)}
    imports = {name: {*imported(path)} & modules.keys() - {name} for name, path in modules.items()}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail(f"these import each other: {' ← '.join(error.args[1])}")


def test_tasks_know_nothing_of_the_console() -> None:
    knowing = [
        path
        for path in files("tasks")
        if any(name.split(".")[0] in ("console", "deploys", "tests") for name in imported(path))
    ]
    assert knowing == []
