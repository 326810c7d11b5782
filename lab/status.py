"""What of the lab is there, looked at afresh."""

from __future__ import annotations

from pathlib import Path

from lab import engine, engine29, forwarding, models, pace, processes, servers, state
from lab.images import REPOSITORY
from lab.pace import SLOW, Pace
from lab.paths import cache_folder, state_folder
from lab.settings import Addresses, Ports, Value
from lab.state import ActiveFault, Engine29, Host, LabState

_PID_FILES = (Path("/var/run/docker.pid"),)


class EngineStatus(Value):
    """The Docker Engine; `version` is empty where it does not answer."""

    socket: str
    version: str
    pid: int | None
    is_ours: bool


class ServerStatus(Value):
    """A server of the lab; no pid: it does not run."""

    name: str
    pid: int | None


class Tag(Value):
    """A tag at a registry and the digest of its manifest."""

    name: str
    tag: str
    digest: str


class Status(Value):
    """All of it. `is_up`: the engine answers and all servers run."""

    is_up: bool
    state_folder: str
    cache_folder: str
    stack_file: str = ""
    engine: EngineStatus | None = None
    addresses: Addresses | None = None
    ports: Ports | None = None
    image_mirror: str = ""
    model_registry: str = ""
    servers: tuple[ServerStatus, ...] = ()
    images: tuple[Tag, ...] = ()
    models: tuple[Tag, ...] = ()
    engine29: Engine29 | None = None
    engine29_version: str = ""
    hosts: tuple[Host, ...] = ()
    fault: ActiveFault | None = None
    # How late registries and engine answer, and where the engine answers so.
    pace: Pace = SLOW
    seed: int = 0
    paced_socket: str = ""


def look() -> Status:
    """Look at everything."""
    lab = state.find()
    folders = {"state_folder": str(state_folder()), "cache_folder": str(cache_folder())}
    if lab is None:
        return Status(is_up=False, **folders)
    running = tuple(
        ServerStatus(name=program.name, pid=processes.pid_of(program))
        for program in servers.programs()
    )
    do_registries_run = all(server.pid for server in running)
    if lab.engine29 is not None:
        running = (*running, ServerStatus(name="engine29", pid=engine29.pid()))
    found = _engine(lab)
    return Status(
        is_up=bool(found.version) and do_registries_run and servers.has_address(lab),
        stack_file=str(state.stack_file()),
        engine=found,
        addresses=lab.addresses,
        ports=lab.ports,
        image_mirror=lab.image_mirror,
        model_registry=lab.model_registry,
        servers=running,
        images=_images(lab) if do_registries_run else (),
        models=_models() if do_registries_run else (),
        engine29=lab.engine29,
        engine29_version=_engine29_version(lab),
        hosts=lab.hosts,
        fault=lab.fault,
        pace=lab.pace,
        seed=lab.seed,
        paced_socket=str(forwarding.socket_path()),
        **folders,
    )


def lines(status: Status) -> tuple[str, ...]:
    """Return the status as plain lines."""
    if status.engine is None:
        return ("There is no lab here: run `python -m lab up`.",)
    who = "started by the lab" if status.engine.is_ours else "found"
    text = [
        f"The lab is {'up' if status.is_up else 'not fully up'} ({status.state_folder}).",
        f"engine          {status.engine.version or 'does not answer'} ({who})",
        f"images          {status.image_mirror}",
        *(f"                {tag.name}:{tag.tag}  {tag.digest[7:19]}" for tag in status.images),
        f"models          {status.model_registry}",
        *(f"                {tag.name}:{tag.tag}  {tag.digest[7:19]}" for tag in status.models),
        f"pace            {pace.told(status.pace, status.seed)}",
        *(f"server          {entry.name}: {entry.pid or 'down'}" for entry in status.servers),
    ]
    if status.engine29 is not None:
        answer = status.engine29_version or "does not answer"
        text.append(f"second engine   {answer} (namespace {status.engine29.namespace})")
    text += [f"host            {host.name}: {host.address}" for host in status.hosts]
    text.append(f"fault           {status.fault.name if status.fault else 'none'}")
    text.append(f"settings        {status.stack_file}")
    return tuple(text)


def _engine(lab: LabState) -> EngineStatus:
    version = engine.version(lab.engine.socket) or ""
    pid = processes.pid_of(engine.daemon())
    for path in _PID_FILES if version and pid is None else ():
        text = path.read_text().strip() if path.exists() else ""
        pid = int(text) if text.isdigit() else None
    return EngineStatus(
        socket=lab.engine.socket, version=version, pid=pid, is_ours=lab.engine.is_ours
    )


def _images(lab: LabState) -> tuple[Tag, ...]:
    registry = servers.image_registry(lab)
    return tuple(
        Tag(name=REPOSITORY, tag=tag, digest=registry.digest(REPOSITORY, tag))
        for tag in registry.tags(REPOSITORY)
    )


def _models() -> tuple[Tag, ...]:
    return tuple(Tag(name=m.name, tag=m.tag, digest=m.digest) for m in models.registered())


def _engine29_version(lab: LabState) -> str:
    return engine.version(lab.engine29.socket) or "" if lab.engine29 else ""
