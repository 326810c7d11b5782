"""What of a service is kept for a rollback, and what an interrupted run left behind. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.containers.observed import STACK_LABEL, Snapshot
from tasks.containers.spec import PREVIOUS
from tasks.containers.tags import own_tags
from tasks.declared.references import image_path
from tasks.declared.stack import KEPT, REPLACED, Service
from tasks.models.plan import Held, names
from tasks.records.proven import ServiceLock


def is_interrupted(
    snapshot: Snapshot, container: str, service: Service, proven: Iterable[str]
) -> bool:
    """Tell whether a replacement or an upgrade of a service stopped half-way.

    An image that was only pulled is no half: the next upgrade goes on with it.
    """
    held = snapshot.models(service.name) or {}
    aside = snapshot.named(container + PREVIOUS)
    tags = own_tags(snapshot.kept, {image_path(service.image)})
    return (
        (aside is not None and STACK_LABEL in aside.labels and aside.service == service.name)
        or any(image.is_for(container + REPLACED) for image in tags)
        or any(name + REPLACED in held for name in names(service, proven))
    )


def kept_sizes(
    snapshot: Snapshot, container: str, lock: ServiceLock, held: Held | None
) -> list[tuple[str, str, int]]:
    """Return what is kept of a service for a rollback: name, digest and bytes."""
    found = []
    before = lock.image.previous if lock.image is not None else None
    images = [image for image in snapshot.kept if image.is_for(container + PREVIOUS)]
    sizes = [i.size for i in images if before is not None and before.digest in i.digests]
    if before is not None and sizes:
        found.append((before.reference, before.digest, sizes[0]))
    for model, digest in lock.previous_models.items():
        kept = (held or {}).get(model + KEPT)
        if kept is not None and kept.digest == digest:
            found.append((model, digest, kept.size))
    main = lock.previous_main
    there = (held or {}).get(main.reference) if main is not None else None
    if main is not None and there is not None and there.digest == main.digest:
        found.append((main.reference, main.digest, there.size))
    return found
