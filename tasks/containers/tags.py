"""Which tags of a service's images are to be made and dropped once nothing is under way. Pure.

A tag bears no label. So only those in a repository of the service's own images are taken for ours:
somebody else's "backup/llm:ollama-qwen-previous" is none of them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from tasks.containers.observed import KeptImage, Snapshot
from tasks.containers.spec import NEXT, PREVIOUS, ContainerSpec
from tasks.declared.references import image_path
from tasks.declared.stack import REPLACED


@dataclass(frozen=True)
class TagChange:
    """One change: `reference` given to the image `source` (an id), or taken away where it is ""."""

    reference: str
    source: str = ""


def tag_changes(
    spec: ContainerSpec, proven: str, previous: str | None, repository: str, snapshot: Snapshot
) -> list[TagChange]:
    """Tell how the tags of a service become what its lock says; an empty list: they are.

    `proven` is the lock's digest of the declared image, "" for none. `previous` is the digest to
    keep for a rollback: "" for none, None where nothing was proven yet; it is kept in `repository`,
    "" where that is not known.
    """
    paths = {image_path(spec.image), image_path(f"{repository}:kept")} - {""}
    ours = own_tags(snapshot.kept, paths)
    passing = [i for i in ours if i.is_for(spec.name + NEXT) or i.is_for(spec.name + REPLACED)]
    return [
        *_undone(spec, proven, passing, snapshot),
        *_kept(spec, previous, repository, ours, snapshot),
        *(TagChange(image.reference) for image in passing),
    ]


def own_tags(kept: Collection[KeptImage], paths: Collection[str]) -> list[KeptImage]:
    """Return the images whose tag is in one of these repositories, at whatever registry."""
    return [image for image in kept if image_path(image.reference) in paths]


def _undone(
    spec: ContainerSpec, proven: str, passing: Collection[KeptImage], snapshot: Snapshot
) -> Iterator[TagChange]:
    """Give the declared tag back where an upgrade had moved it and did not come to its end.

    `passing` are the images under the tags that an upgrade makes and takes away again.
    """
    tagged = snapshot.images.get(spec.image)
    if tagged is None or proven in tagged.digests or not passing:
        return
    before = snapshot.image_id(proven) if proven else ""
    is_only_pulled = tagged.id in {i.id for i in passing if i.is_for(spec.name + NEXT)}
    if before or (is_only_pulled and not snapshot.uses(spec.image)):
        yield TagChange(spec.image, before)


def _kept(
    spec: ContainerSpec,
    previous: str | None,
    repository: str,
    ours: Collection[KeptImage],
    snapshot: Snapshot,
) -> Iterator[TagChange]:
    """Keep the image before the present one, and no other."""
    kept = [image for image in ours if image.is_for(spec.name + PREVIOUS)]
    is_kept = any(previous in image.digests for image in kept)
    for image in kept:
        # First of all: an image whose tag was given to another one would stay for ever.
        if previous is not None and previous not in image.digests:
            yield TagChange(image.reference)
    source = snapshot.image_id(previous) if previous else ""
    if source and not is_kept:
        yield TagChange(f"{repository}:{spec.name}{PREVIOUS}", source)
