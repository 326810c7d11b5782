"""What stands after a command: at the engine, in the files, in the database; and what changed."""

from __future__ import annotations

import difflib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from tests.fake.containers import Container
from tests.fake.host import FakeHost

# Of these the content is shown as well.
TEXTS = ("stack.toml", "stack.lock", "stack.log", ".stack.lock.writer")
DATABASE = "models.db"
# Written by the tests.
NOT_OURS = ("usage",)


def state(host: FakeHost, folder: Path, product: list[Path]) -> list[str]:
    """Describe all that a stack has, as lines; `product` are files that were written there."""
    found: list[str] = []
    for container in sorted(host.containers.values(), key=lambda one: one.name):
        found += _container(container)
    for name, volume in sorted(host.engine.volumes.all.items()):
        found += [f"volume {name}", f"  labels {json.dumps(volume.labels, sort_keys=True)}"]
        store = host.store(name)
        found += [f"  model {model} {store.digest(model)}" for model in sorted(store.names())]
    for image in sorted(host.engine.images.all.values(), key=lambda one: one.id):
        found += [f"image {image.id}", *(f"  {name}" for name in sorted(image.tags))]
        found += [f"  {name}" for name in sorted(image.digests)]
    found += [f"file of the product {_mode(path)} {path.name}" for path in product]
    for path in sorted(folder.rglob("*")):
        if path.name not in NOT_OURS:
            found += _file(folder, path)
    return found


def _container(container: Container) -> Iterator[str]:
    yield f"container {container.name} ({container.status}, of {container.image.id})"
    for line in json.dumps(container.body, indent=2, sort_keys=True).splitlines():
        yield f"  {line}"


def _mode(path: Path) -> str:
    return f"{path.lstat().st_mode & 0o7777:04o}"


def _file(folder: Path, path: Path) -> Iterator[str]:
    name = path.relative_to(folder)
    if path.is_dir():
        yield f"folder {_mode(path)} {name}"
        return
    yield f"file {_mode(path)} {name}"
    if path.name == DATABASE:
        yield from _database(path)
    elif path.name in TEXTS or name.parts[0] == "home":
        for line in path.read_text(errors="replace").splitlines():
            yield f"  {line}"


def _database(path: Path) -> Iterator[str]:
    if not path.read_bytes().startswith(b"SQLite"):
        yield "  no database"
        return
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        for pragma in ("user_version", "journal_mode", "application_id"):
            yield f"  {pragma} = {connection.execute(f'PRAGMA {pragma}').fetchone()[0]}"
        for statement in connection.iterdump():
            for line in statement.splitlines():
                yield f"  {line}"
    finally:
        connection.close()


def changes(before: list[str], after: list[str]) -> list[str]:
    """Return what changed, with two lines around each change, and the heading that it is under."""
    shown = []
    for line in difflib.unified_diff(before, after, n=2, lineterm=""):
        if line.startswith(("---", "+++")):
            continue
        if line.startswith("@@"):
            first = int(line.split()[1].lstrip("-").partition(",")[0])
            shown.append(_heading(before, first))
        else:
            shown.append(line.rstrip())
    return shown


def _heading(before: list[str], first: int) -> str:
    above = [line for line in before[: max(first, 1)] if not line.startswith(" ")]
    return f"@@ {above[-1]}" if above else "@@"
