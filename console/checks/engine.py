"""Docker: whether it answers, where it comes from, and whether it has the declared settings."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from console.checks.finding import CONVERGE, Check, failed, notable, well
from console.checks.looked import Looked
from console.looking.host import engine_trouble
from tasks.containers.observed import Snapshot
from tasks.converge.advisories import image_notes, server_notes
from tasks.declared.stack import Stack
from tasks.docker_engine.daemon_json import PATH, Refused, parse, refusal
from tasks.docker_engine.observed import ObservedEngine
from tasks.docker_engine.plan import EngineState, engine_state
from tasks.host.observed import ObservedHost
from tasks.words.versions import numbers, older

ENGINE = "Docker Engine"
# The first engine that drops packets from outside for ports that are published on loopback.
LOOPBACK_SINCE = "28.0"
# Before addresses are rewritten: later chains do not see any more that 127.0.0.1 was meant.
DROP = "sudo iptables -t raw -I PREROUTING"
# What each origin means for a person who counts on this project (fault 24).
ORIGINS = {
    "snap": (
        "it is the snap: confined, without the NVIDIA Container Toolkit, and not set up from here",
        "for the GPU: back the volumes up, sudo snap remove docker, then ./main.sh setup",
    ),
    "podman-docker": (
        "the docker command here is podman's, which is no Docker Engine",
        "sudo apt-get remove podman-docker; podman itself may stay",
    ),
}


def dead_engine(looked: Looked) -> Check:
    """Say why nobody answers: what the converge would, else what the socket shows (fault 21)."""
    state = engine_state(looked.host, looked.stack)
    if state.failures:
        return failed(ENGINE, state.failures[0])
    trouble = engine_trouble(looked.stack.docker_socket)
    return Check(ENGINE, False, trouble.cause, trouble.remedy)


def engine_checks(looked: Looked) -> Iterator[Check]:
    """Check an engine that answers."""
    host, stack, engine = looked.host, looked.stack, looked.engine
    yield well(ENGINE, f"version {looked.snapshot.version} answers{_from(host)}")
    yield from origin_checks(host)
    yield from loopback_checks(stack, looked.snapshot.version)
    yield from of_engine(engine_state(host, stack, engine))
    if host.is_default_socket:
        yield from daemon_json_checks(host, engine)
    yield from old_releases(stack, looked.snapshot)


def _from(host: ObservedHost) -> str:
    is_package = host.is_default_socket and host.origin in ("docker-ce", "docker.io")
    return f", of the package {host.origin}" if is_package else ""


def origin_checks(host: ObservedHost) -> Iterator[Check]:
    """Say where another Docker than a package of this project's kind is here (fault 24)."""
    if not host.is_default_socket:
        return
    if host.origin in ORIGINS:
        yield notable("Docker's origin", *ORIGINS[host.origin])
    elif host.has_snap_docker:
        told = f"two of them are here: the package {host.origin} and the snap"
        yield notable("Docker's origin", told, "sudo snap remove docker, if nothing needs it")
    if host.origin == "docker-ce" and host.version_of("containerd"):
        told = "the distribution's containerd is installed beside Docker's own"
        yield notable("Docker's origin", told, "sudo apt-get remove containerd, if unused")


def loopback_checks(stack: Stack, version: str) -> Iterator[Check]:
    """Say where an engine lets neighbours reach ports that are published on 127.0.0.1 alone.

    Engines before 28 take packets for it from every interface (moby#45610). A version that is not
    known is not judged.
    """
    loopback = [s for s in stack.services if s.active and ipaddress.ip_address(s.bind).is_loopback]
    names = [service.name for service in loopback if service.bind != "::1"]
    if not names or not numbers(version) or not older(version, LOOPBACK_SINCE):
        return
    yield notable(
        "Docker and 127.0.0.1",
        f"Docker {version} is older than {LOOPBACK_SINCE}: machines of the same network segment can"
        f" reach {', '.join(names)}, though published on this host alone (moby#45610)",
        f"upgrade Docker Engine to {LOOPBACK_SINCE} or newer (Docker's own repository has it);"
        f" until then, after each start: {DROP} -d 127.0.0.0/8 ! -i lo -j DROP, and"
        f" {DROP} -d NETWORK ! -i docker0 -j DROP (NETWORK: ip -4 route show dev docker0)",
    )


def of_engine(state: EngineState) -> Iterator[Check]:
    """Say what a converge would do about the engine's settings (faults 8, 9 and 18)."""
    what = "Docker's settings"
    for failure in state.failures:
        yield failed(what, failure)
    for step in state.steps:
        yield Check(what, False, f"not done yet: {step}", CONVERGE)
    for note in state.notes:
        yield notable(what, note)


def daemon_json_checks(host: ObservedHost, engine: ObservedEngine) -> Iterator[Check]:
    """Check that daemon.json can be gone on with (fault 8)."""
    if engine.daemon_json_error and not host.can_be_root:
        yield notable("daemon.json", f"{PATH}: {engine.daemon_json_error} by this user")
        return
    try:
        if engine.daemon_json_error:
            raise Refused(engine.daemon_json_error)
        parse(engine.daemon_json)
    except Refused as error:
        failure = refusal(str(error))
        yield Check("daemon.json", False, f"{PATH}: {failure.cause}", f"sudoedit {PATH}")


def old_releases(stack: Stack, snapshot: Snapshot) -> Iterator[Check]:
    """Name releases of Ollama that are older than a known mend (fault 10)."""
    remedy = "./main.sh upgrade --to TAG, of a newer release"
    for note in (*image_notes(stack), *server_notes(stack, snapshot)):
        yield notable("Ollama's release", note, remedy)
