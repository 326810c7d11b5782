"""Faults of the registries, put in force and taken back by nginx's configuration."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import forwarding, fronts, lock, servers, state
from lab.catalogue import NAMESPACE
from lab.errors import LabError
from lab.nginx import Trouble
from lab.paths import state_folder
from lab.registry import WEIGHTS, blob_file
from lab.state import ActiveFault, LabState
from lab.trouble import KINDS, check, trouble

LOCK_SECONDS = 30


@contextmanager
def inject(
    name: str, *, only: str = "", rate: str = "", after: int = 0, once: bool = False
) -> Iterator[None]:
    """Put a fault in force for the time of a block; afterwards all is as without.

    `only`: a model (tiny-qwen or tiny-qwen:v1), or a tag of the image. `rate`: bytes a second of
    blobs-slow ("200k"). `after`: bytes of each connection before blobs-cut and blobs-stalled.
    `once`: only the first request of each path and minute meets the fault.
    """
    put(name, only=only, rate=rate, after=after, once=once)
    try:
        yield
    finally:
        clear()


def put(name: str, *, only: str = "", rate: str = "", after: int = 0, once: bool = False) -> None:
    """Put a fault in force; it replaces any other one. Returns when it is in force."""
    fault = ActiveFault(name=name, only=only, rate=rate, after=after, once=once)
    check(fault)
    with lock.front_locked(LOCK_SECONDS):
        extra = trouble_of(state.load().model_copy(update={"fault": fault}))
        lab = state.update(fault=fault)
        servers.reload_nginx(extra)
        forwarding.ensure(lab)


def clear() -> None:
    """Take the fault back. Returns when all is as without."""
    with lock.front_locked(LOCK_SECONDS):
        lab = state.update(fault=None)
        servers.reload_nginx(Trouble())
        forwarding.ensure(lab)
        shutil.rmtree(_files(), ignore_errors=True)


def trouble_of(lab: LabState) -> Trouble:
    """Return the trouble that the state asks for, its damaged files written."""
    if lab.fault is None:
        return Trouble()
    kind = KINDS[lab.fault.name]
    digests: tuple[str, ...] = ()
    shutil.rmtree(_files(), ignore_errors=True)
    if kind.target == "blobs":
        digests = _weights(lab, lab.fault.only)
    if kind.what == "flipped":
        for digest in digests:
            _write_flipped(digest)
    if kind.what == "truncated":
        _write_truncated(lab, lab.fault.only)
    return trouble(lab.fault, servers.layout(lab), digests, _files())


def _files() -> Path:
    return state_folder() / fronts.called("faults")


def _tags(lab: LabState, only: str) -> tuple[tuple[str, str], ...]:
    """Return (repository, tag) of the models that `only` names, of all for ""."""
    registry = servers.model_registry(lab)
    name, _, tag = only.partition(":")
    found = tuple(
        (repository, known)
        for repository in registry.repositories()
        if name in ("", repository.removeprefix(f"{NAMESPACE}/"))
        for known in registry.tags(repository)
        if tag in ("", known)
    )
    if not found:
        raise LabError(f"the lab has no model {only!r}", "see `python -m lab status`")
    return found


def _weights(lab: LabState, only: str) -> tuple[str, ...]:
    registry = servers.model_registry(lab)
    digests = (
        digest
        for repository, tag in _tags(lab, only)
        for digest in registry.manifest(repository, tag).layer_digests(WEIGHTS)
    )
    return tuple(sorted(set(digests)))


def _write_flipped(digest: str) -> None:
    storage = servers.storage("models")
    source = blob_file(storage, digest)
    target = _files() / source.relative_to(storage)
    target.parent.mkdir(parents=True, exist_ok=True)
    content = bytearray(source.read_bytes())
    content[len(content) // 2] ^= 0xFF
    target.write_bytes(content)


def _write_truncated(lab: LabState, only: str) -> None:
    registry = servers.model_registry(lab)
    for repository, tag in _tags(lab, only):
        manifest = registry.manifest(repository, tag)
        folder = _files() / "v2" / repository / "manifests"
        folder.mkdir(parents=True, exist_ok=True)
        for name in (tag, manifest.digest):
            (folder / name).write_bytes(manifest.content[: len(manifest.content) // 2])
