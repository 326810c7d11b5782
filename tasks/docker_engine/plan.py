"""What has to be done so that a Docker Engine answers, and what stands in its way. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tasks.apt.pins import other_version_note
from tasks.declared.stack import Stack
from tasks.docker_engine import messages
from tasks.docker_engine.daemon_json import wanted as wanted_of
from tasks.docker_engine.observed import ObservedEngine
from tasks.docker_engine.settings import AFTER_INSTALL, ENGINE, Kind, settings_plan
from tasks.host.access import root_needed
from tasks.host.observed import ObservedHost
from tasks.words.failures import Failure
from tasks.words.messages import THIS_SYSTEM
from tasks.words.steps import Action, Step

DOCKER_DISTRIBUTIONS = ("ubuntu", "debian")
NOT_INSTALLED = "Docker Engine is not installed"
UNREACHABLE = "daemon unreachable"


@dataclass(frozen=True)
class EngineState:
    """How it stands with the engine. With failures there are no steps.

    `ready`: it answers now. `install`, `start`: it will, when the steps are done; what needs it is
    planned as such. `unreachable`: nothing that needs it may be planned.
    """

    kind: Kind
    steps: tuple[Step, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def wants_engine_facts(host: ObservedHost, stack: Stack) -> bool:
    """Tell whether `engine_state` needs an ObservedEngine: only where settings are wanted."""
    want = wanted_of(stack)
    wants = want.insecure_registry or want.has_proxy or want.live_restore
    return host.is_default_socket and bool(wants)


def engine_state(
    host: ObservedHost, stack: Stack, engine: ObservedEngine | None = None
) -> EngineState:
    """Plan. `engine` is needed where `wants_engine_facts`; without it settings are left alone."""
    kind, steps, failures = _reach(host, stack)
    notes = _kept(host, stack)
    if engine is not None and not failures and wants_engine_facts(host, stack):
        settings, failures, more = settings_plan(kind, host, stack, engine)
        notes += more
        steps = _in_order(kind, settings, steps)
    steps += _group(kind, host, stack) if not failures else []
    notes = (*notes, *_pin_note(host, stack))
    if steps and not failures and not host.can_be_root:
        failures = [root_needed(host, f"{steps[0].text}: needs root")]
    if failures:
        return EngineState(kind if kind == "ready" else "unreachable", (), tuple(failures), notes)
    return EngineState(kind, tuple(steps), (), notes)


def _group(kind: Kind, host: ObservedHost, stack: Stack) -> list[Step]:
    """Let the user of a run with sudo use Docker without it; who has no sudo is not asked."""
    is_member = host.user in host.docker_group or "docker" in host.groups
    is_wanted = stack.docker_group and host.is_default_socket and host.can_sudo
    if kind == "unreachable" or not is_wanted or is_member or not host.user:
        return []
    needs = AFTER_INSTALL if kind == "install" else ""
    text = f"Add {host.user} to the group docker"
    why = "to use Docker without sudo; members of that group can become root"
    return [Step(Action.JOIN_GROUP, host.user, text, why, needs=needs)]


def _pin_note(host: ObservedHost, stack: Stack) -> tuple[str, ...]:
    """Say where another version is installed than the declared one."""
    version = host.version_of("docker-ce") or host.version_of("docker.io")
    return other_version_note(ENGINE, "docker_version", version, stack.docker_version)


def _kept(host: ObservedHost, stack: Stack) -> tuple[str, ...]:
    """Fault 24: an engine that is there stays, wherever it comes from; tell of another than asked.

    A removal is a person's to decide: it stops the containers of others.
    """
    wanted = {"docker": "docker-ce", "distro": "docker.io"}.get(stack.docker_source)
    is_other = wanted and host.is_default_socket and host.origin not in ("none", wanted)
    if not is_other or not host.answers:
        return ()
    found = {"snap": "the snap of Docker", "other": host.dockerd}.get(host.origin, host.origin)
    return (
        f'docker_source = "{stack.docker_source}" asks for {wanted}, and {found} is here already: '
        f"it is used as it is. To have {wanted}, back up what the volumes hold, remove {found} by "
        "hand (that stops all containers), then run again.",
    )


def _in_order(kind: Kind, settings: list[Step], steps: list[Step]) -> list[Step]:
    """Settings come before the first start, where they can: that saves a restart."""
    if kind == "start":
        return [*settings, *steps]
    if kind == "install":
        early = [s for s in settings if not s.needs]
        return [*early, *steps, *(s for s in settings if s.needs)]
    return [*steps, *settings]


def _reach(host: ObservedHost, stack: Stack) -> tuple[Kind, list[Step], list[Failure]]:
    if host.answers:
        return "ready", _curl(host), []
    if not host.is_default_socket:
        return "unreachable", [], [_other_socket(host)]
    if host.origin == "none":
        return _install(host, stack)
    if host.origin == "podman-docker":
        return "unreachable", [], [_podman()]
    return _start(host)


def _curl(host: ObservedHost) -> list[Step]:
    if host.curl:
        return []
    why = "the engine and the servers are asked by it"
    return [Step(Action.INSTALL_PACKAGES, "curl", "Install curl", why)]


def _install(host: ObservedHost, stack: Stack) -> tuple[Kind, list[Step], list[Failure]]:
    # A Docker that was removed leaves its socket behind, and nobody listens there.
    if host.daemons or (host.has_socket and not host.is_refused):
        return "unreachable", [], [_unreachable(host)]
    if not host.apt:
        system = host.distribution.pretty_name or THIS_SYSTEM()
        cause = messages.NO_APT(system=system)
        return "unreachable", [], [Failure(NOT_INSTALLED, cause, messages.INSTALL_BY_HAND())]
    if stack.docker_source == "docker" and host.distribution.id not in DOCKER_DISTRIBUTIONS:
        cause = messages.NO_REPOSITORY(system=host.distribution.pretty_name)
        return "unreachable", [], [Failure(NOT_INSTALLED, cause, messages.TAKE_DISTRIBUTION())]
    install = Step(
        Action.INSTALL_PACKAGES,
        ENGINE,
        f"Install {ENGINE}: {_source_text(host, stack)}",
        "there is no Docker on this host",
    )
    start = Step(Action.START_ENGINE, ENGINE, f"Start {ENGINE}", "", needs=AFTER_INSTALL)
    return "install", [install, start], []


def _source_text(host: ObservedHost, stack: Stack) -> str:
    distribution = host.distribution.pretty_name or "the distribution"
    if source_of(host, stack) == "distro":
        return f"docker.io of {distribution}"
    if stack.docker_source == "docker":
        return "docker-ce of Docker's apt repository"
    return f"docker-ce of Docker's apt repository, or else docker.io of {distribution}"


def source_of(host: ObservedHost, stack: Stack) -> Literal["auto", "docker", "distro"]:
    """Return where packages come from: Docker only has repositories for some distributions.

    Its containerd.io would have to remove the distribution's containerd, which others may use.
    """
    has_containerd = bool(host.version_of("containerd"))
    can_docker = host.distribution.id in DOCKER_DISTRIBUTIONS and not has_containerd
    if stack.docker_source == "auto" and not can_docker:
        return "distro"
    return stack.docker_source


def _start(host: ObservedHost) -> tuple[Kind, list[Step], list[Failure]]:
    """Docker is there and does not answer: stopped on purpose, or broken?"""
    start = Step(Action.START_ENGINE, ENGINE, f"Start {ENGINE}", "it is installed and stopped")
    if host.origin == "snap" or host.daemons:
        return "unreachable", [], [_unreachable(host)]
    if not host.has_systemd:
        is_stale = not host.has_socket or host.is_refused or not host.curl
        if is_stale and host.dockerd:
            return "start", [*_curl(host), start], []
        return "unreachable", [], [_unreachable(host)]
    if host.unit.load == "loaded" and host.unit.active == "inactive":
        return "start", [*_curl(host), start], []
    return "unreachable", [], [_unreachable(host)]


def _other_socket(host: ObservedHost) -> Failure:
    socket = host.socket
    if host.has_socket and not host.can_write_socket and not host.can_be_root:
        cause = messages.SOCKET_DENIED(user=host.user, socket=socket)
        return Failure(UNREACHABLE, cause, messages.SEE_WHO_MAY(socket=socket))
    if not host.curl and not host.docker:
        return Failure(UNREACHABLE, messages.NO_CURL(socket=socket), messages.INSTALL_CURL())
    cause = messages.NOBODY_THERE(socket=socket)
    return Failure(UNREACHABLE, cause, messages.START_THAT_ENGINE())


def _podman() -> Failure:
    return Failure(UNREACHABLE, messages.IS_PODMAN(), messages.REMOVE_PODMAN())


def _unreachable(host: ObservedHost) -> Failure:
    """Fault 21: nothing is planned on a daemon that cannot be asked."""
    if host.origin == "snap":
        return Failure(UNREACHABLE, messages.SNAP_SILENT(), messages.START_SNAP())
    state = host.unit.active
    if host.has_systemd and host.unit.load == "masked":
        return Failure(UNREACHABLE, messages.MASKED(), messages.UNMASK())
    if host.has_systemd and state and state not in ("active", "inactive"):
        cause = messages.UNIT_DOWN(state=state, sub=host.unit.sub)
        return Failure(UNREACHABLE, cause, messages.SEE_AND_RESTART())
    if host.daemons:
        cause = messages.DAEMON_SILENT(pid=host.daemons[0], socket=host.socket)
        log = messages.JOURNAL() if host.has_systemd else messages.LOG_OF_DAEMON()
        return Failure(UNREACHABLE, cause, messages.SEE_LOG(log=log))
    cause = messages.SILENT(socket=host.socket)
    remedy = messages.SEE_AND_RESTART() if host.has_systemd else messages.SEE_LOG_FILE()
    return Failure(UNREACHABLE, cause, remedy)
