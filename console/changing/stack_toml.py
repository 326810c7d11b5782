"""The console's changes: stack.toml is edited, then the same converge as everybody's runs."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import InlineTable

from console.changing.log import note, note_edits
from tasks.declared.layers import stack_file
from tasks.declared.references import ImageReference, ModelReference
from tasks.declared.stack import Service, Stack
from tasks.files.atomic import remove_leftovers_beside, target, write_atomically
from tasks.records.lockfile import LockFile
from tasks.words.steps import LOCAL

# What is set in stack.toml, by the path of its key; None takes it out.
Value = str | bool | list[str]
Edits = Mapping[tuple[str, ...], Value | None]


def edits_to(stack: Stack, service: Service | None, parts: str, tag: str) -> Edits:
    """Return what declares another tag: of the image, or of a service's model. Raises ValueError.

    Without a service the image of all moves that have none of their own.
    """
    if "/" in tag or ":" in tag:
        raise ValueError('should be the tag alone, like "0.25.0"')
    if parts == "models":
        if service is None:
            raise ValueError("--models --to wants a SERVICE: each has a model of its own")
        model = f"{service.model.rpartition(':')[0]}:{tag}"
        return {("models", service.name, "model"): str(ModelReference.parse(model))}
    image = f"{(service or stack).image.rpartition(':')[0]}:{tag}"
    ImageReference.parse(image)
    if service is None:
        return {("image",): image}
    return {("models", service.name, "image"): _own(stack, image)}


def _own(stack: Stack, image: str) -> str | None:
    """Return what a service has to declare for an image: nothing where it is everybody's."""
    return image if image != stack.image else None


def edits_back(stack: Stack, services: Iterable[Service], lock: LockFile, parts: str = "") -> Edits:
    """Return what declares the images and models before the present ones, where names differ."""
    services = list(services)
    models: dict[tuple[str, ...], str] = {}
    for service in services:
        entry = lock.service(LOCAL, service.name)
        main = entry.previous_main
        if service.active and main is not None and entry.main == service.model:
            models["models", service.name, "model"] = main.reference
    images = _images_back(stack, services, lock) if parts != "models" else {}
    return {**images, **(models if parts != "image" else {})}


def _images_back(stack: Stack, services: Iterable[Service], lock: LockFile) -> Edits:
    before = {}
    for service in services:
        image = lock.service(LOCAL, service.name).image
        if service.active and image is not None and image.previous is not None:
            before[service.name] = image.previous.reference
    names = {s.name for s in stack.services if s.image == stack.image}
    if names == {s.name for s in stack.services} == set(before) and len({*before.values()}) == 1:
        (image_before,) = {*before.values()}
        return {("image",): image_before} if image_before != stack.image else {}
    declared = {s.name: s.image for s in stack.services}
    return {
        ("models", name, "image"): _own(stack, image)
        for name, image in before.items()
        if image != declared[name]
    }


def edited(text: str, edits: Edits) -> str:
    """Set values in a stack.toml, or take those out that are None; the rest stays as it is.

    Source: tomlkit, which keeps comments, order and spelling.
    """
    document: Any = tomlkit.parse(text)
    for path, value in edits.items():
        table = document
        for name in path[:-1]:
            if name not in table:
                is_inline = isinstance(table, InlineTable)
                table[name] = tomlkit.inline_table() if is_inline else tomlkit.table()
            table = table[name]
        if value is not None:
            table[path[-1]] = value
        elif path[-1] in table:
            del table[path[-1]]
    return tomlkit.dumps(document)


def remove_leftovers_of(file: Path) -> None:
    """Remove what killed commands left beside a stack.toml: it may hold secrets."""
    file = target(file)
    remove_leftovers_beside(file)
    for copy in file.parent.glob(f".dry-*-{glob.escape(file.name)}"):
        pid = copy.name.split("-")[1]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            with suppress(OSError):
                copy.unlink()


class Declaration:
    """stack.toml, edited for a run and put back if that fails."""

    def __init__(self) -> None:
        # Through a link: the file that it names is the person's.
        self.path = target(stack_file())
        self.before = self._text()
        self.after = self.before

    def _text(self) -> str | None:
        # As bytes: the ends of its lines are the person's as well.
        return self.path.read_bytes().decode() if self.path.exists() else None

    @contextmanager
    def edit(self, edits: Edits, *, is_dry: bool) -> Iterator[Path]:
        """Edit it for a run; a dry one sees a copy, beside the original, that goes again."""
        if not edits:
            yield self.path
            return
        after = edited(self.before or "", edits)
        if not is_dry:
            self.after = after
            write_atomically(self.path, after)
            note_edits(self.path.name, edits)
            yield self.path
            return
        copy = self.path.with_name(f".dry-{os.getpid()}-{self.path.name}")
        # The original may hold secrets, and be nobody else's to read.
        write_atomically(copy, after, mode=0o600)
        try:
            yield copy
        finally:
            copy.unlink(missing_ok=True)

    def take_back(self, edits: Edits, stack: Stack, lock: LockFile | None) -> list[str]:
        """Declare again what was declared before; returns the services that moved all the same.

        A service that was proven with what the run declared keeps it, under its own name. What
        somebody else wrote into the file meanwhile stays.
        """
        kept = _proven(edits, stack, lock) if lock is not None else {}
        now = self._text()
        if now == self.before and not kept:
            return []
        if now == self.after and not kept:
            self._write(self.before)
            return []
        old: Any = tomlkit.parse(self.before or "")
        present: Any = tomlkit.parse(now or "")
        back = {
            path: _at(old, path) for path, value in edits.items() if _at(present, path) == value
        }
        self._write(edited(now or "", {**back, **kept}))
        return sorted(name for _, name, _ in kept)

    def _write(self, text: str | None) -> None:
        if text is None:
            self.path.unlink(missing_ok=True)
        else:
            write_atomically(self.path, text)
        note(f"{self.path.name} was put back, but for what was proven meanwhile")


def _proven(edits: Edits, stack: Stack, lock: LockFile) -> dict[tuple[str, ...], str]:
    """Return what of the edits services were proven with, each under the service's own name."""
    kept: dict[tuple[str, ...], str] = {}
    for path, value in edits.items():
        if value is None:
            continue
        names = [path[1]] if path[0] == "models" else [s.name for s in stack.services]
        for name in names:
            entry = lock.service(LOCAL, name)
            image = entry.image.reference if entry.image is not None else ""
            if value == (entry.main if path[-1] == "model" else image):
                kept["models", name, path[-1]] = value
    return kept


def _at(document: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a path; None where there is none."""
    for name in path:
        if name not in document:
            return None
        document = document[name]
    return document.unwrap() if hasattr(document, "unwrap") else document
