"""docs/architecture.md and CONTRIBUTING.md tell of the code as it is.

The picture of the rooms is held against their imports: an arrow is drawn exactly where no longer
way of imports leads to the same room. What is named in backticks exists, and the plan that is shown
is the plan that is made.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.containers.plan import Wanted, plan_container
from tasks.declared.layers import ROOT
from tasks.words.plan import Plan
from tests.unit import test_floors
from tests.unit.tasks.samples import DIGEST, container, snapshot, spec, stack

ARCHITECTURE, CONTRIBUTING = "docs/architecture.md", "CONTRIBUTING.md"
DOCUMENTS = {name: (ROOT / name).read_text() for name in (ARCHITECTURE, CONTRIBUTING)}
# Would stand at a line that tells of what is not there yet.
NOT_YET = "TODO" + "(rooms)"
FLOORS, FLOOR = test_floors.FLOORS["tasks"], test_floors.FLOOR["tasks"]
TOP = {path.name for path in ROOT.iterdir()}
Arrows = dict[str, set[str]]


def imports() -> Arrows:
    """Return the rooms below, by room, that its files import."""
    found: Arrows = {room: set() for room in FLOOR}
    for _, room, other in test_floors.arrows("tasks"):
        if FLOOR[other] < FLOOR[room]:
            found[room].add(other)
    return found


def reached(found: Arrows, room: str) -> set[str]:
    """Return all rooms to which arrows lead from a room, one after the other."""
    return found[room].union(*(reached(found, other) for other in found[room]))


def to_draw() -> Arrows:
    """Return the arrows that no longer way stands for."""
    found = imports()
    return {
        room: {
            other
            for other in others
            if not any(other in reached(found, third) for third in others - {other})
        }
        for room, others in found.items()
    }


def block() -> list[str]:
    """Return the lines of the picture as they have to be, from the top floor down."""
    drawn = to_draw()
    rooms = [room for floor in reversed(FLOORS) for room in floor]
    return [f"    {room} --> {' & '.join(sorted(drawn[room]))}" for room in rooms if drawn[room]]


def fenced(kind: str) -> Iterator[str]:
    """Yield what stands in the blocks of a kind in docs/architecture.md."""
    yield from re.findall(rf"(?s)```{kind}\n(.*?)```", DOCUMENTS[ARCHITECTURE])


def named(document: str) -> Iterator[str]:
    """Yield what a document names in backticks."""
    text = re.sub(r"(?s)```.*?```", "", DOCUMENTS[document])
    yield from re.findall(r"`([^`\n]+)`", text)


def exists(name: str) -> bool:
    """Tell whether a module, or what it defines, is there."""
    module, _, attribute = name.rpartition(".")
    try:
        return hasattr(importlib.import_module(module), attribute)
    except ModuleNotFoundError:
        return False


def test_the_picture_is_that_of_the_imports() -> None:
    (picture,) = fenced("mermaid")
    first, *lines = picture.splitlines()
    assert first == "flowchart TD"
    assert lines == block(), "the picture should be:\n" + "\n".join(block())


def test_the_picture_leaves_no_import_out() -> None:
    (picture,) = fenced("mermaid")
    drawn: Arrows = {room: set() for room in FLOOR}
    for room, others in re.findall(r"(?m)^ +(\w+) --> (.+)$", picture):
        drawn[room] |= set(others.split(" & "))
    real = imports()
    assert {room: reached(drawn, room) for room in FLOOR} == {
        room: reached(real, room) for room in FLOOR
    }


def test_every_room_has_its_row_from_the_top_floor_down() -> None:
    table = DOCUMENTS[ARCHITECTURE].partition("| room |")[2].partition("\n\n")[0]
    rows = re.findall(r"(?m)^\| `(\w+)` \|", table)
    assert sorted(rows) == sorted(FLOOR)
    assert [FLOOR[room] for room in rows] == sorted(FLOOR.values(), reverse=True)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str) -> None:
    paths = [name for name in named(document) if name.partition("/")[0] in TOP and " " not in name]
    assert len(paths) > 10
    assert [path for path in paths if not is_there(path)] == []


def is_there(path: str) -> bool:
    """Tell whether a path is there; NAME stands for a new one, in a folder that is."""
    return (ROOT / path.partition("NAME")[0]).exists() and "*" not in path


def test_every_function_that_is_named_exists() -> None:
    names = [name for name in named(ARCHITECTURE) if re.fullmatch(r"(tasks|console)(\.\w+)+", name)]
    assert len(names) > 10
    assert [name for name in names if not exists(name)] == []


def test_what_is_not_there_is_found_out() -> None:
    assert exists("tasks.containers.drift.drift")
    assert not exists("tasks.containers.drift.drifts")
    assert not exists("tasks.container.drift.drift")
    assert is_there("tasks/clients/kinds/NAME.py")
    assert not is_there("tasks/editors/kinds/NAME.py")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document: str) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", DOCUMENTS[document])
    folder = (ROOT / document).parent
    assert [link for link in links if not (folder / Path(link)).exists()] == []


def test_the_plan_of_the_example_is_the_plan_that_is_made() -> None:
    before, now = stack(), stack(models={"qwen": {"port": 11500}})
    wanted = Wanted(now.services[0], spec(now), DIGEST)
    lines = Plan(tuple(plan_container(wanted, snapshot(container(spec(before)))))).lines()
    shown = next(text for text in fenced("text") if "ollama-qwen-previous" in text)
    assert [*map(str.strip, shown.strip().splitlines())] == [*map(str.strip, lines)]


def test_the_stages_are_those_of_a_converge_in_their_order() -> None:
    section = DOCUMENTS[ARCHITECTURE].partition("## How a run goes")[2].partition("\n## ")[0]
    items = "".join(re.findall(r"(?m)^\d+\. (`[^:]+:)", section))
    body = ast.parse((ROOT / "deploys/stack.py").read_text()).body
    assert re.findall(r"`(\w+)`", items) == [
        ast.unparse(line).removesuffix("()") for line in body if is_stage(line)
    ]


def is_stage(line: ast.stmt) -> bool:
    """Tell a stage from the docstring and the imports above it."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Call)


def test_the_verbs_of_a_developer_are_all_told() -> None:
    (verbs,) = re.findall(r"(?s)\nfor developers.*?:\n(.*?)\n\n", (ROOT / "main.sh").read_text())
    names = re.findall(r"(?m)^  (\w+)", verbs)
    assert {"test", "lint", "lab", "bench"} <= {*names}
    assert [name for name in names if f"./main.sh {name}" not in DOCUMENTS[CONTRIBUTING]] == []


def test_nothing_waits() -> None:
    assert not [name for name, text in DOCUMENTS.items() if NOT_YET in text]
