"""What the registries offer beyond what is proven: told, never taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from console.looking.asker import asker_here
from tasks.declared.stack import Service, Stack
from tasks.records.lockfile import LockFile
from tasks.records.proven import ServiceLock
from tasks.registry.manifests import image_for, look_up_model
from tasks.registry.newer import newer
from tasks.words.steps import LOCAL

Manifests = Mapping[tuple[str, str], Any]


def ask(stack: Stack, lock: LockFile | None, host: str = LOCAL) -> Manifests:
    """Ask the registries for all that is proven; return what they answered, by kind and name."""
    asker = asker_here(stack)
    for service, entry in _proven(stack, lock, host):
        if entry.image_digest(service.image):
            image_for(asker, service)
        for model in set(service.models) & set(entry.models):
            look_up_model(asker, model)
    return asker.manifests


def offers(
    stack: Stack, lock: LockFile | None, manifests: Manifests, host: str = LOCAL
) -> dict[str, tuple[str, ...]]:
    """Return what moved at the registries, by service. No answer is no offer. Pure."""
    return {
        service.name: tuple(newer(stack, service, entry, manifests))
        for service, entry in _proven(stack, lock, host)
    }


def _proven(
    stack: Stack, lock: LockFile | None, host: str
) -> Iterator[tuple[Service, ServiceLock]]:
    for service in stack.services:
        if lock is not None and service.active:
            yield service, lock.service(host, service.name)
