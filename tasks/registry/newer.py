"""What registries offer with another digest than the proven one. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.declared.stack import Service, Stack
from tasks.records.proven import ServiceLock
from tasks.registry.manifests import RemoteManifest
from tasks.words.digests import short


def newer(
    stack: Stack, service: Service, lock: ServiceLock, manifests: Mapping[tuple[str, str], Any]
) -> Iterator[str]:
    """Yield what moved at its registry: "name old → new", 12 digits of each digest.

    `manifests` are what registries answered, by kind and name; what they did not is left out.
    """
    pairs = [(("image", str(stack.image_reference(service))), service.image, lock.image)]
    pairs += [(("model", model), model, lock.models.get(model)) for model in service.models]
    for key, name, proven in pairs:
        found = manifests.get(key)
        if not isinstance(found, RemoteManifest) or proven is None or proven.reference != name:
            continue
        if found.digest != proven.digest:
            yield f"{name} {short(proven.digest)} → {short(found.digest)}"
