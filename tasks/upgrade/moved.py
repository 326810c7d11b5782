"""Which proven tags stand for something else at the registry by now (fault 16). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.lockfile import ServiceLock
from tasks.registry import RemoteManifest
from tasks.stack import Service


def moved(
    service: Service, image: str, lock: ServiceLock, manifests: Mapping[tuple[str, str], Any]
) -> Iterator[str]:
    """Yield what is offered with another digest than the proven one.

    `image` is the reference from which the service's image is pulled; `manifests` is what the
    registries told, by kind and name.
    """
    pairs = [(("image", image), service.image, lock.image)]
    pairs += [(("model", model), model, lock.models.get(model)) for model in service.models]
    for key, name, proven in pairs:
        found = manifests.get(key)
        if not isinstance(found, RemoteManifest) or proven is None or proven.reference != name:
            continue
        if found.digest != proven.digest:
            yield f"{name} {proven.digest[7:19]} → {found.digest[7:19]}"
