"""Where a scenario happens: an engine, what registries offer, and a stack that is run on it."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import docker

from tasks.records.proven import ServiceLock

# Two services are enough for what one does to the other. `EXTRA` is declared by some scenarios.
SERVICES = ("qwen", "deepseek")
EXTRA = "spare"


@dataclass(frozen=True)
class Outcome:
    """How a run ended: whether all went well, whether nothing was done, and what it said."""

    ok: bool
    is_quiet: bool
    said: str


@dataclass(frozen=True)
class Look:
    """What is there of a stack: ids and states of its containers, by name without the prefix; the
    models of each running server, by service; its volumes; the tags of images that it made."""

    ids: Mapping[str, str]
    states: Mapping[str, str]
    models: Mapping[str, Mapping[str, str]]
    volumes: frozenset[str]
    tags: frozenset[str]


class Place(Protocol):
    """One stack on one host."""

    prefix: str
    client: docker.DockerClient

    def declare(self, service: str = "", **changes: Any) -> None:
        """Change the declaration, of a service or of all; None takes a key away, and a service
        without any changes goes."""

    def run(self, deploy: str, **options: Any) -> Outcome:
        """Do what a deploy does: "stack", "upgrade", "rollback" or "remove"."""

    def port(self, service: str) -> int:
        """Return the declared port of a service; for EXTRA a free one."""

    def locked(self, service: str) -> ServiceLock:
        """Return what the lock holds of a service."""

    def status(self, service: str) -> str:
        """Return what the database says of a service: active, inactive, or "" for nothing."""

    def moved(self, service: str, *, works: bool = True) -> AbstractContextManager[str]:
        """Let the registry offer another model under the tag of one; yields its digest."""

    def broken_pulls(self) -> AbstractContextManager[None]:
        """Let the registry of models answer every request with an error."""


def model(service: str) -> str:
    """Return the declared model of a service."""
    return f"tiny-{service}:v1"


def url(place: Place, service: str) -> str:
    """Return where a service answers."""
    return f"http://127.0.0.1:{place.port(service)}"


def look(place: Place) -> Look:
    """Look at a stack past the product: through Docker's own client, and the servers."""
    client, prefix = place.client, place.prefix
    # Those of other tests come and go meanwhile.
    there = client.containers.list(all=True, ignore_removed=True)
    found = [c for c in there if str(c.name).startswith(prefix)]
    states = {str(c.name).removeprefix(prefix): str(c.status) for c in found}
    tags = (tag for image in client.images.list() for tag in image.tags)
    return Look(
        {str(c.name).removeprefix(prefix): str(c.id) for c in found},
        states,
        {name: held(place, name) for name in SERVICES if states.get(name) == "running"},
        frozenset(v.name.removeprefix(prefix) for v in client.volumes.list() if prefix in v.name),
        frozenset(t for t in tags if t.rpartition(":")[2].startswith(prefix)),
    )


def held(place: Place, service: str) -> dict[str, str]:
    """Return the digests of the models that a server holds, by name."""
    models = ask(place, service, "/api/tags")["models"]
    return {m["name"]: f"sha256:{m['digest']}" for m in models}


def ask(place: Place, service: str, path: str, body: object = None, method: str = "") -> Any:
    """Ask a server over HTTP."""
    request = urllib.request.Request(
        url(place, service) + path,
        None if body is None else json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method=method or None,
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or "null")
