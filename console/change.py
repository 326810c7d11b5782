"""The console's changes: stack.toml is edited, then the same converge as everybody's runs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tomlkit

from console.services import LOCAL
from tasks.layers import ROOT, stack_file
from tasks.lockfile import LockFile, write_atomically
from tasks.references import ImageReference, ModelReference
from tasks.stack import Service, Stack

PYINFRA = Path(sys.executable).with_name("pyinfra")
# What is set in stack.toml, by the path of its key.
Edits = Mapping[tuple[str, ...], str]


def run_deploy(name: str, data: Iterable[str], *, is_dry: bool, say_yes: bool, file: Path) -> int:
    """Run a deploy on this machine, its output where ours goes; returns its exit status."""
    words = [str(PYINFRA), "@local", f"deploys/{name}.py"]
    if is_dry:
        words.append("--dry")
    elif say_yes or not sys.stdin.isatty():
        words.append("-y")
    for pair in data:
        words += ["--data", pair]
    environment = {**os.environ, "STACK_FILE": str(file.absolute())} if file.exists() else None
    status = subprocess.run(words, cwd=ROOT, env=environment, check=False).returncode
    return status if status >= 0 else 128 - status


def edits_to(stack: Stack, service: Service | None, parts: str, tag: str) -> Edits:
    """Return what declares another tag: of the image, or of a service's model. Raises ValueError.

    Without a service the image of all moves that have none of their own.
    """
    if parts == "models":
        if service is None:
            raise ValueError("--models --to wants a SERVICE: each has a model of its own")
        model = f"{service.model.rpartition(':')[0]}:{tag}"
        return {("models", service.name, "model"): str(ModelReference.parse(model))}
    image = f"{(service or stack).image.rpartition(':')[0]}:{tag}"
    ImageReference.parse(image)
    return {("models", service.name, "image") if service else ("image",): image}


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
        ("models", name, "image"): image
        for name, image in before.items()
        if image != declared[name]
    }


def edited(text: str, edits: Edits) -> str:
    """Set values in a stack.toml; comments and order stay. Source: tomlkit."""
    document: Any = tomlkit.parse(text)
    for path, value in edits.items():
        table = document
        for name in path[:-1]:
            table = table.setdefault(name, tomlkit.table())
        table[path[-1]] = value
    return tomlkit.dumps(document)


@contextmanager
def declared_with(edits: Edits, *, is_dry: bool) -> Iterator[Path]:
    """Edit stack.toml for a run; a dry one sees a copy, beside the original, that goes again."""
    path = stack_file()
    if not edits:
        yield path
        return
    after = edited(_text(path), edits)
    if not is_dry:
        write_atomically(path, after)
        yield path
        return
    copy = path.with_name(f".dry-{os.getpid()}-{path.name}")
    write_atomically(copy, after)
    try:
        yield copy
    finally:
        copy.unlink(missing_ok=True)


def take_back(before: str, edits: Edits, stack: Stack, lock: LockFile) -> list[str]:
    """Declare again what was declared before a run that failed; returns who moved all the same.

    A service that was proven with what the run declared keeps it, under its own name.
    """
    kept: dict[tuple[str, ...], str] = {}
    for key, value in edits.items():
        names = [key[1]] if key[0] == "models" else [s.name for s in stack.services]
        for name in names:
            entry = lock.service(LOCAL, name)
            proven = {entry.image.reference if entry.image else "", *entry.models}
            if value in proven:
                kept["models", name, key[-1]] = value
    path = stack_file()
    text = edited(before, kept) if kept else before
    if text:
        write_atomically(path, text)
    else:
        path.unlink(missing_ok=True)
    return sorted(name for _, name, _ in kept)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def stack_text() -> str:
    """Return stack.toml as it is now, "" where there is none."""
    return _text(stack_file())
