"""What the registries offer for what is declared, against what is here: the preview of an upgrade.

Only manifests are asked for; nothing is downloaded.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.containers.observed import Snapshot
from tasks.converge.downloads import UNPACKED
from tasks.declared.stack import Service
from tasks.records.goals import Goal
from tasks.registry.lookups import image_of, model_of
from tasks.registry.manifests import RegistryFault, RemoteManifest
from tasks.run.run import Run
from tasks.run.session import SESSION
from tasks.shell.engine_api import ask_all
from tasks.words.digests import short
from tasks.words.numbers import bytes_text


@dataclass(frozen=True)
class Offer:
    """One thing that would move: from which digest to which, and the bytes to download for it."""

    service: str
    what: str
    old: str
    new: str
    download: int
    is_image: bool

    def __str__(self) -> str:
        size = (
            f"{bytes_text(self.download)} to download" if self.download else "nothing to download"
        )
        return f"{self.service}: {self.what}: {self.old} → {self.new}, {size}"


def ask(
    run: Run, service: Service, parts: str
) -> tuple[str, dict[str, RemoteManifest]] | RegistryFault:
    """Ask what is offered: the image's digest, and the models' manifests; "" and none where not."""
    digest, models = "", {}
    if parts != "models":
        image = image_of(run, service)
        if isinstance(image, RegistryFault):
            return image
        digest = _first(f"image {run.stack.image_reference(service)}", image).digest
    for model in service.models if parts != "image" else ():
        found = model_of(run, model)
        if isinstance(found, RegistryFault):
            return found
        models[model] = _first(f"model {run.stack.model_registry}/{model}", found)
    return digest, models


def _first(what: str, found: RemoteManifest) -> RemoteManifest:
    """Return what was offered first: it holds for all hosts of this process, a tag may move."""
    first: RemoteManifest = SESSION.offered.setdefault(what, found)
    return first


def offers(run: Run, service: Service, goal: Goal, snapshot: Snapshot) -> Iterable[Offer]:
    """Show what a goal moves."""
    held = snapshot.models(service.name) or {}
    if goal.image_digest:
        image, before = image_of(run, service), run.held.locked(service).image
        is_here = bool(snapshot.image_id(goal.image_digest))
        size = image.size if isinstance(image, RemoteManifest) and not is_here else 0
        old = f"{before.reference}@{short(before.digest)}" if before is not None else "none"
        new = f"{service.image}@{short(goal.image_digest)}"
        yield Offer(service.name, "image", old, new, size, is_image=True)
    for model, digest in goal.model_digests.items():
        found = model_of(run, model)
        layers = found.layers if isinstance(found, RemoteManifest) else {}
        old = short(held[model].digest) if model in held else "none"
        size = _missing(run, service, layers)
        yield Offer(service.name, f"model {model}", old, short(digest), size, is_image=False)


def _missing(run: Run, service: Service, layers: Mapping[str, int]) -> int:
    """Return the bytes of the layers that the server does not hold yet."""
    urls = {digest: f"{service.url}/api/blobs/{digest}" for digest in layers}
    if not urls:
        return 0
    found = ask_all(run.shell, urls.values(), method="HEAD", timeout=10)
    return sum(
        size
        for digest, size in layers.items()
        if urls[digest] not in found or not found[urls[digest]].ok
    )


def summary(found: Iterable[Offer], free: int | None) -> str:
    """Say what all offers need: to download, and on the disk; an image that several want counts
    once."""
    images = {offer.new: offer.download for offer in found if offer.is_image}
    models = sum(offer.download for offer in found if not offer.is_image)
    download = sum(images.values()) + models
    disk = sum(images.values()) * UNPACKED + models
    there = f", {bytes_text(free)} are free" if free is not None else ""
    return f"{bytes_text(download)} to download, about {bytes_text(disk)} of disk{there}"
