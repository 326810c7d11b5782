"""The registries' first contents, made once and kept in the cache as storage folders.

A seed's name is a hash of everything that it is made from: another recipe is another seed.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

from lab.errors import LabError
from lab.paths import cache_folder
from lab.shell import run


def name_of(recipe: str) -> str:
    """Return the name of a seed."""
    return hashlib.sha256(recipe.encode()).hexdigest()[:16]


def has(kind: str, name: str) -> bool:
    """Tell whether the cache holds a seed."""
    return _folder(kind, name).is_dir()


def restore(kind: str, name: str, storage: Path) -> None:
    """Put a seed in place of a registry's storage folder. The registry must not run."""
    shutil.rmtree(storage, ignore_errors=True)
    storage.parent.mkdir(parents=True, exist_ok=True)
    _copy(_folder(kind, name), storage)


def keep(kind: str, name: str, storage: Path) -> None:
    """Keep a registry's storage folder as a seed; older seeds of the kind go."""
    target = _folder(kind, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_name(f"{target.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    _copy(storage, new)
    for uploads in new.glob("docker/registry/v2/repositories/**/_uploads"):
        shutil.rmtree(uploads)
    for old in target.parent.glob(f"{kind}-*"):
        if old != new:
            shutil.rmtree(old)
    new.rename(target)


def _copy(source: Path, target: Path) -> None:
    """Copy a storage folder; blobs, which never change, as further links where that works."""
    blobs = "docker/registry/v2/blobs"
    shutil.copytree(source, target, ignore=lambda path, _: _blobs_of(path))
    if (source / blobs).is_dir():
        into = target / blobs
        into.parent.mkdir(parents=True, exist_ok=True)
        try:
            run(["cp", "-al", str(source / blobs), str(into)], timeout=300)
        except LabError:  # another file system: ordinary copies
            shutil.rmtree(into, ignore_errors=True)
            shutil.copytree(source / blobs, into)


def _blobs_of(path: str) -> list[str]:
    return ["blobs"] if path.endswith("docker/registry/v2") else []


def _folder(kind: str, name: str) -> Path:
    return cache_folder() / "seeds" / f"{kind}-{name}"
