"""Tags that move, as `latest` does: what one front shows of a tag, and nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab import lock, servers, state
from lab.catalogue import NAMESPACE
from lab.faults import trouble_of
from lab.images import REPOSITORY
from lab.state import Move

LOCK_SECONDS = 30


@contextmanager
def image_tag(tag: str, source: str) -> Iterator[str]:
    """Point a tag of the image at another one for the time of a block; yields its digest."""
    digest = servers.image_registry(state.load()).digest(REPOSITORY, source)
    with _moved(Move(kind="images", repository=REPOSITORY, tag=tag, digest=digest)):
        yield digest


@contextmanager
def model_tag(name: str, tag: str, source: str) -> Iterator[str]:
    """Point a tag of a model at another tag ("v2") or model ("tiny-new:v1"); yields its digest."""
    registry = servers.model_registry(state.load())
    repository, (other, _, source_tag) = f"{NAMESPACE}/{name}", source.rpartition(":")
    manifest = registry.manifest(f"{NAMESPACE}/{other}" if other else repository, source_tag)
    if other:
        for blob in manifest.blobs:
            registry.mount_blob(repository, blob, f"{NAMESPACE}/{other}")
        registry.put_manifest(repository, manifest.digest, manifest.content)
    with _moved(Move(kind="models", repository=repository, tag=tag, digest=manifest.digest)):
        yield manifest.digest


@contextmanager
def _moved(move: Move) -> Iterator[None]:
    before = next((one for one in state.load().moves if _is_same_tag(one, move)), None)
    _show(move, move)
    try:
        yield
    finally:
        _show(move, before)


def _show(tag: Move, shown: Move | None) -> None:
    with lock.front_locked(LOCK_SECONDS):
        others = (one for one in state.load().moves if not _is_same_tag(one, tag))
        lab = state.update(moves=(*others, *([shown] if shown else [])))
        servers.reload_nginx(trouble_of(lab))


def _is_same_tag(one: Move, other: Move) -> bool:
    return one.model_copy(update={"digest": ""}) == other.model_copy(update={"digest": ""})
