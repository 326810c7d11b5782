"""One row for each service: declared against observed, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from tasks.containers.drift import Change, drift
from tasks.containers.observed import LoadedModel, ObservedContainer, Snapshot
from tasks.containers.spec import PREVIOUS, spec_of
from tasks.declared.stack import Service, Stack
from tasks.models.kept import is_interrupted, kept_sizes
from tasks.models.plan import undeclared
from tasks.records.lockfile import LockFile
from tasks.records.proven import ServiceLock
from tasks.servers.generation import left_gpu, processor

LOCAL = "@local"
# The state of a service on a host that nobody can look at.
UNKNOWN = "unknown"
# States in which a person has nothing to do.
WELL = ("active", "inactive")


@dataclass(frozen=True)
class ServiceView:
    """A service as it is now. Sizes in bytes; `gpu_share` 0 to 1; "" and None: not known.

    `state` is active, inactive (declared so, and stopped), stopped, paused, starting, unhealthy,
    restarting, absent, running (declared inactive), silent, without model, or unknown: nobody could
    see how it stands, and `unknown` says why (in the app also where Docker does not answer).
    """

    name: str
    role: str
    active: bool
    state: str
    url: str
    port: int
    container: str
    model: str
    installed_version: str | None
    ollama: str | None
    size: int | None
    loaded: int | None
    processor: str | None
    gpu_share: float | None
    context: int
    drift: tuple[dict[str, str], ...]
    models: tuple[str, ...]
    undeclared: tuple[str, ...]
    previous: tuple[dict[str, Any], ...] = ()
    left_gpu: str = ""
    gpu: str = "auto"
    unknown: str = ""

    @property
    def is_well(self) -> bool:
        """Tell whether nothing has to be done about the service."""
        has_gpu = not (self.left_gpu and self.gpu == "required")
        return self.state in WELL and not self.drift and has_gpu

    def as_json(self) -> dict[str, Any]:
        """Return the row for programs."""
        return asdict(self)


def views(
    stack: Stack, snapshot: Snapshot, lock: LockFile | None, host: str = LOCAL
) -> list[ServiceView]:
    """Return a row for each declared service of a host."""
    return [
        _view(stack, service, snapshot, _entry(lock, host, service)) for service in stack.services
    ]


def unknown(stack: Stack) -> list[ServiceView]:
    """Return a row for each declared service of a host that nobody can look at."""
    return [replace(view, state=UNKNOWN) for view in views(stack, Snapshot(), None)]


def _entry(lock: LockFile | None, host: str, service: Service) -> ServiceLock | None:
    return lock.service(host, service.name) if lock is not None else None


def _view(
    stack: Stack, service: Service, snapshot: Snapshot, entry: ServiceLock | None
) -> ServiceView:
    container = snapshot.named(stack.container_name(service))
    held = snapshot.models(service.name) or {}
    main = held.get(service.model)
    loaded = _loaded(snapshot, service)
    return ServiceView(
        name=service.name,
        role=service.role,
        active=service.active,
        state=state_of(service, container, snapshot),
        url=service.url,
        port=service.port,
        container=stack.container_name(service),
        model=service.model,
        installed_version=f"{service.model}@{main.digest[7:19]}" if main else None,
        ollama=snapshot.server(service.name).version or None,
        size=(main.size or None) if main else None,
        loaded=loaded.size if loaded else None,
        processor=processor(loaded.gpu_share) if loaded else None,
        gpu_share=loaded.gpu_share if loaded else None,
        context=service.context,
        drift=tuple(_change(c) for c in changes_of(stack, service, container, snapshot, entry)),
        models=tuple(model for model in service.models if model in held),
        undeclared=tuple(undeclared(service, held)),
        previous=_previous(stack, service, snapshot, entry),
        left_gpu=_left_gpu(service, snapshot, entry),
        gpu=service.gpu,
        unknown=snapshot.unknown_of(service.name),
    )


def _left_gpu(service: Service, snapshot: Snapshot, entry: ServiceLock | None) -> str:
    if entry is None:
        return ""
    return left_gpu(snapshot.server(service.name), service, entry.gpu_models)


def _previous(
    stack: Stack, service: Service, snapshot: Snapshot, entry: ServiceLock | None
) -> tuple[dict[str, Any], ...]:
    """Return what is kept for a rollback: name, digest and size in bytes."""
    if entry is None:
        return ()
    kept = kept_sizes(snapshot, stack.container_name(service), entry, snapshot.models(service.name))
    return tuple({"name": n, "digest": digest, "size": size} for n, digest, size in kept)


def _loaded(snapshot: Snapshot, service: Service) -> LoadedModel | None:
    """Return the declared model that is in memory, the main one first."""
    by_name = {model.name: model for model in snapshot.server(service.name).loaded}
    return next((by_name[model] for model in service.models if model in by_name), None)


def state_of(service: Service, container: ObservedContainer | None, snapshot: Snapshot) -> str:
    """Name the state of a service in one word or two."""
    if snapshot.unknown_of(service.name):
        return UNKNOWN
    if container is None:
        return "absent" if service.active else "inactive"
    if container.status != "running":
        stopped = "stopped" if service.active else "inactive"
        return {"exited": stopped, "created": stopped}.get(container.status, container.status)
    if not service.active:
        return "running"
    server = snapshot.server(service.name)
    if not server.version:
        return "starting" if container.health == "starting" else "silent"
    if service.model not in server.models:
        return "without model"
    return "unhealthy" if container.health == "unhealthy" else "active"


def changes_of(
    stack: Stack,
    service: Service,
    container: ObservedContainer | None,
    snapshot: Snapshot,
    entry: ServiceLock | None,
) -> list[Change]:
    """Return where a container and its models differ from the declaration and the lock."""
    if container is None or not service.active:
        return []
    if not container.is_of(stack.container_prefix):
        return [Change("owner", "not this stack", "this stack")]
    # Whether the host's GPU may be used is the converge's to judge: here what is there counts.
    spec = spec_of(stack, service, gpu=container.attachment)
    entry = entry or ServiceLock()
    found = drift(spec, container, snapshot.images, entry.image_digest(service.image))
    proven = entry.model_digests
    for model, held in (snapshot.models(service.name) or {}).items():
        if proven.get(model, held.digest) != held.digest:
            found.append(Change(f"model {model}", held.digest[7:19], proven[model][7:19]))
    return found


def _change(change: Change) -> dict[str, str]:
    if change.is_private:
        return {"field": change.field, "old": "…", "new": "…"}
    return {"field": change.field, "old": change.old, "new": change.new}


def orphans(stack: Stack, snapshot: Snapshot) -> list[str]:
    """Name the containers that are ours and that no declared service explains."""
    known = {stack.container_name(s) for s in stack.services}
    known |= {name + PREVIOUS for name in known}
    ours: Iterable[ObservedContainer] = snapshot.containers
    return [c.name for c in ours if c.is_of(stack.container_prefix) and c.name not in known]


def interrupted(
    stack: Stack, snapshot: Snapshot, lock: LockFile | None, host: str = LOCAL
) -> list[str]:
    """Name the containers of services whose replacement or upgrade stopped half-way."""
    found = []
    for service in stack.services:
        name = stack.container_name(service)
        entry = _entry(lock, host, service)
        proven = entry.models if entry is not None else ()
        if is_interrupted(snapshot, name, service, proven):
            found.append(name)
    return found
