"""One row for each service: declared against observed, for people and for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from typing import Any

from tasks.containers.drift import Change, differences
from tasks.containers.observed import LoadedModel, ObservedContainer, Snapshot
from tasks.containers.spec import PREVIOUS, spec_as_attached
from tasks.database.rows import installed_version, is_active
from tasks.declared.stack import Service, Stack
from tasks.models.kept import is_interrupted, kept_sizes
from tasks.models.plan import is_another, undeclared
from tasks.records.held import Held
from tasks.records.lockfile import LockFile
from tasks.records.proven import ServiceLock
from tasks.servers.generation import left_gpu, processor
from tasks.words.digests import short
from tasks.words.steps import LOCAL

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
    held = Held(host, lock)
    return [_view(stack, service, snapshot, held) for service in stack.services]


def unknown(stack: Stack) -> list[ServiceView]:
    """Return a row for each declared service of a host that nobody can look at."""
    return [replace(view, state=UNKNOWN) for view in views(stack, Snapshot(), None)]


def _view(stack: Stack, service: Service, snapshot: Snapshot, held: Held) -> ServiceView:
    container = snapshot.named(stack.container_name(service))
    models = snapshot.models(service.name) or {}
    main = models.get(service.model)
    proven = held.locked(service)
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
        installed_version=installed_version(service, snapshot),
        ollama=snapshot.server(service.name).version or None,
        size=(main.size or None) if main else None,
        loaded=loaded.size if loaded else None,
        processor=processor(loaded.gpu_share) if loaded else None,
        gpu_share=loaded.gpu_share if loaded else None,
        context=service.context,
        drift=tuple(_change(c) for c in changes_of(stack, service, snapshot, held)),
        models=tuple(model for model in service.models if model in models),
        undeclared=tuple(undeclared(service, models)),
        previous=_previous(stack, service, snapshot, proven),
        left_gpu=left_gpu(snapshot.server(service.name), service, proven.gpu_models),
        gpu=service.gpu,
        unknown=snapshot.unknown_of(service.name),
    )


def _previous(
    stack: Stack, service: Service, snapshot: Snapshot, proven: ServiceLock
) -> tuple[dict[str, Any], ...]:
    """Return what is kept for a rollback: name, digest and size in bytes."""
    models, name = snapshot.models(service.name), stack.container_name(service)
    copies = kept_sizes(snapshot, name, proven, models)
    return tuple({"name": n, "digest": digest, "size": size} for n, digest, size in copies)


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
    if not is_active(service, snapshot):
        return "without model"
    return "unhealthy" if container.health == "unhealthy" else "active"


def changes_of(stack: Stack, service: Service, snapshot: Snapshot, held: Held) -> list[Change]:
    """Return where a container and its models differ from the declaration and the lock.

    By the plan's own functions; only whether the host's GPU may be used is the converge's to judge.
    """
    container = snapshot.named(stack.container_name(service))
    if container is None or not service.active:
        return []
    spec = spec_as_attached(stack, service, container)
    digest = held.image_digest(service)
    changes = differences(spec, container, snapshot.images, digest)
    if not container.is_of(stack.container_prefix):
        return changes
    models, digests = snapshot.models(service.name) or {}, held.model_digests(service)
    for model in (models[name] for name in service.models if name in models):
        wanted = digests.get(model.name, "")
        if is_another(model, wanted):
            changes.append(Change(f"model {model.name}", short(model.digest), short(wanted)))
    return changes


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
    held = Held(host, lock)
    names = {stack.container_name(service): service for service in stack.services}
    return [
        name
        for name, service in names.items()
        if is_interrupted(snapshot, name, service, held.locked(service).models)
    ]
