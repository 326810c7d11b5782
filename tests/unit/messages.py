"""The catalogues of causes and remedies, and what the code does with them, read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path

from tasks.declared.layers import ROOT
from tasks.words.messages import Message


@dataclass(frozen=True)
class Use:
    """A place that names a message: `fields` are what it fills in, None where it fills nothing."""

    where: str
    module: str
    name: str
    fields: frozenset[str] | None


@cache
def sources() -> dict[Path, ast.Module]:
    """Return every source file of the product, parsed."""
    paths = [path for room in ("tasks", "console") for path in (ROOT / room).rglob("*.py")]
    return {path.relative_to(ROOT): ast.parse(path.read_text()) for path in sorted(paths)}


def module_of(path: Path) -> str:
    """Return the name by which a file is imported."""
    return ".".join(path.with_suffix("").parts)


def room_of(path: Path) -> str:
    """Return the room of a file: the folder below tasks, or console as a whole."""
    return path.parts[1] if path.parts[0] == "tasks" else path.parts[0]


@cache
def catalogues() -> dict[Path, dict[str, Message]]:
    """Return the messages of every catalogue, by the name of their constant."""
    paths = [path for path in sources() if path.name == "messages.py"]
    return {
        path: {
            name: value
            for name, value in vars(import_module(module_of(path))).items()
            if isinstance(value, Message) and _is_made_in(path, name)
        }
        for path in paths
    }


def _is_made_in(path: Path, name: str) -> bool:
    targets = [node.targets[0] for node in sources()[path].body if isinstance(node, ast.Assign)]
    return any(isinstance(target, ast.Name) and target.id == name for target in targets)


def uses() -> Iterator[Use]:
    """Yield every place that names a message, by `NAME` or by `messages.NAME`."""
    for path, tree in sources().items():
        modules, names = _imported(tree)
        names |= {name: module_of(path) for name in catalogues().get(path, ())}
        calls = {id(n.func): n for n in ast.walk(tree) if isinstance(n, ast.Call)}
        for node in ast.walk(tree):
            found = _named(node, modules, names)
            if found is not None:
                call = calls.get(id(node))
                fields = frozenset(k.arg or "**" for k in call.keywords) if call else None
                if call and call.args:
                    fields = frozenset({"*"})
                yield Use(f"{path}:{node.lineno}", *found, fields)  # type: ignore[attr-defined]


def _imported(tree: ast.Module) -> tuple[dict[str, str], dict[str, str]]:
    """Return the catalogues that a file imports, and the messages, each by its name there."""
    modules, names = {}, {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or not node.module:
            continue
        for alias in node.names:
            if node.module.endswith(".messages"):
                names[alias.asname or alias.name] = node.module
            elif alias.name == "messages":
                modules[alias.asname or alias.name] = f"{node.module}.messages"
    return modules, names


def _named(node: ast.AST, modules: dict[str, str], names: dict[str, str]) -> tuple[str, str] | None:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        module = modules.get(node.value.id)
        return (module, node.attr) if module else None
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        return names[node.id], node.id
    return None
