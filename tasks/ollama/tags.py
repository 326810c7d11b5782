"""Which tags of a service's images are to be made and dropped once nothing is under way. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.ollama.observed import Snapshot
from tasks.ollama.spec import NEXT, PREVIOUS, ContainerSpec
from tasks.stack import REPLACED


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
    keep for a rollback: "" for none, None where nothing was proven yet; it is kept in `repository`.
    """
    return [
        *_undone(spec, proven, snapshot),
        *_kept(spec, previous, repository, snapshot),
        *(
            TagChange(image.reference)
            for image in snapshot.kept
            if image.is_for(spec.name + NEXT) or image.is_for(spec.name + REPLACED)
        ),
    ]


def _undone(spec: ContainerSpec, proven: str, snapshot: Snapshot) -> Iterator[TagChange]:
    """Give the declared tag back where an upgrade had moved it and did not come to its end."""
    following = snapshot.kept_image(spec.name, NEXT)
    replaced = snapshot.kept_image(spec.name, REPLACED)
    tagged = snapshot.images.get(spec.image)
    if tagged is None or proven in tagged.digests or not (following or replaced):
        return
    before = snapshot.image_id(proven) if proven else ""
    is_only_pulled = following is not None and tagged.id == following.id
    if before or (is_only_pulled and not snapshot.uses(spec.image)):
        yield TagChange(spec.image, before)


def _kept(
    spec: ContainerSpec, previous: str | None, repository: str, snapshot: Snapshot
) -> Iterator[TagChange]:
    """Keep the image before the present one, and no other."""
    kept = [image for image in snapshot.kept if image.is_for(spec.name + PREVIOUS)]
    is_kept = any(previous in image.digests for image in kept)
    for image in kept:
        # First of all: an image whose tag was given to another one would stay for ever.
        if previous is not None and previous not in image.digests:
            yield TagChange(image.reference)
    source = snapshot.image_id(previous) if previous else ""
    if source and not is_kept:
        yield TagChange(f"{repository}:{spec.name}{PREVIOUS}", source)
