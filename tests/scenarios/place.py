"""Where a scenario happens: an engine, what registries offer, and a stack that is run on it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import docker

from tasks.records.proven import ServiceLock


@dataclass(frozen=True)
class Outcome:
    """How a run ended: whether all went well, the texts of its steps, and causes of failures."""

    ok: bool
    done: tuple[str, ...] = ()
    causes: str = ""


@dataclass(frozen=True)
class Look:
    """What is there of a stack: each container (image's id, status) by name, the models that each
    service's server holds by digest, volumes, and the tags of images that the stack made."""

    containers: Mapping[str, tuple[str, str]]
    ids: Mapping[str, str]
    models: Mapping[str, Mapping[str, str]]
    volumes: frozenset[str]
    tags: frozenset[str]


class Place(Protocol):
    """One stack on one host. `services` are declared, each with one model."""

    services: tuple[str, ...]
    prefix: str
    client: docker.DockerClient

    def declare(self, service: str = "", **changes: Any) -> None:
        """Change the declaration, of a service or of all; None takes a key away."""

    def run(self, what: str, **options: Any) -> Outcome:
        """Do what a deploy does: "converge", "upgrade", "rollback" or "remove"."""

    def url(self, service: str) -> str:
        """Return where a service is declared to answer."""

    def model(self, service: str) -> str:
        """Return the declared model of a service."""

    def locked(self, service: str) -> ServiceLock:
        """Return what the lock holds of a service."""

    def status(self, service: str) -> str:
        """Return what the database says of a service: active, inactive, or "" where nothing."""

    def moved_model(self, service: str, *, works: bool = True) -> AbstractContextManager[str]:
        """Let the registry offer another model under the same tag in a block; yields its digest."""

    def moved_image(self) -> AbstractContextManager[str]:
        """Let the registry offer another image under the declared tag; yields its digest."""

    def broken_pulls(self) -> AbstractContextManager[None]:
        """Let every pull of a model break in a block."""

    bad_image: str
    new_image: str


def look(place: Place) -> Look:
    """Look at a stack past the product: through Docker's own client, and the servers."""
    client, prefix = place.client, place.prefix
    listed = [c for c in client.containers.list(all=True) if str(c.name).startswith(prefix)]
    models = {
        service: held(place.url(service))
        for service in place.services
        if any(c.name == prefix + service and c.status == "running" for c in listed)
    }
    tags = (tag for image in client.images.list() for tag in image.tags)
    return Look(
        {str(c.name): (str(c.attrs["Image"]), str(c.status)) for c in listed},
        {str(c.name): str(c.id) for c in listed},
        models,
        frozenset(v.name for v in client.volumes.list() if v.name.startswith(prefix)),
        frozenset(t for t in tags if t.rpartition(":")[2].startswith(prefix)),
    )


def held(url: str) -> dict[str, str]:
    """Return the digests of the models that a server holds, by name."""
    return {m["name"]: f"sha256:{m['digest']}" for m in ask(f"{url}/api/tags")["models"]}


def ask(url: str, body: object = None, method: str | None = None) -> Any:
    """Ask a server over HTTP."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or "null")


def among(names: Iterable[str], ending: str) -> list[str]:
    """Return the names that end like this."""
    return [name for name in names if name.endswith(ending)]
