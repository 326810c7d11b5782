"""What the registries offer beyond what is proven: told, never taken."""

from __future__ import annotations

from console.asker import LocalAsker
from tasks.inventory.rows import LOCAL
from tasks.lockfile import LockFile
from tasks.registry import image_for, look_up_model
from tasks.stack import Stack
from tasks.upgrade.newer import newer


def offers(stack: Stack, lock: LockFile | None, host: str = LOCAL) -> dict[str, tuple[str, ...]]:
    """Ask the registries; return what moved there, by service. No answer is no offer."""
    asker = LocalAsker.of(stack)
    found = {}
    for service in stack.services:
        entry = lock.service(host, service.name) if lock is not None else None
        if entry is None or not service.active:
            continue
        if entry.image_digest(service.image):
            image_for(asker, service)
        for model in set(service.models) & set(entry.models):
            look_up_model(asker, model)
        found[service.name] = tuple(newer(stack, service, entry, asker.manifests))
    return found
