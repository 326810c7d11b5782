"""What the declaration wants in the engine's settings, planned; and when a restart may be. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from tasks.declared.stack import Stack
from tasks.docker_engine import messages
from tasks.docker_engine.daemon_json import (
    INSECURE,
    LIVE_RESTORE,
    PROXIES,
    Refused,
    Wanted,
    knows_proxies,
    merge,
    parse,
)
from tasks.docker_engine.daemon_json import wanted as wanted_of
from tasks.docker_engine.observed import ObservedEngine
from tasks.host.observed import ObservedHost
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step

ENGINE = "Docker Engine"
AFTER_INSTALL = "after Docker Engine is installed"
NO_LIVE_RESTORE = (
    "Not done: live_restore = true. Docker Engine is part of a swarm here, and does not start with "
    "live-restore then."
)
Kind = Literal["ready", "install", "start", "unreachable"]
_LIVE_RESTORE_STEP = Step(
    Action.CONFIGURE_ENGINE,
    LIVE_RESTORE,
    f"Let containers go on while {ENGINE} restarts, in daemon.json",
    "live_restore = true",
)


def settings_plan(
    kind: Kind, host: ObservedHost, stack: Stack, engine: ObservedEngine
) -> tuple[list[Step], list[Failure], tuple[str, ...]]:
    """Plan the changes of daemon.json, and the reload or restart that makes them hold."""
    want = possible(wanted_of(stack), engine)
    try:
        current = settings_of(engine)
    except Refused as error:
        return [], [error.failure], ()
    notes = (NO_LIVE_RESTORE,) if stack.live_restore and not want.live_restore else ()
    steps = _reloaded(kind, want, engine, current)
    merged = merge(current, want, proxies=True)
    is_written = merged.get(PROXIES) == current.get(PROXIES)
    if not want.has_proxy or (is_written and not (kind == "ready" and _lacks_proxy(want, engine))):
        return steps, [], notes
    if kind == "ready" and _uses_proxy(want, engine):
        return steps, [], notes
    version = engine.version or package_version(host)
    if kind != "install" and not knows_proxies(version):
        return steps, [], (*notes, no_proxies(version))
    if kind == "ready":
        # What a reload brings comes first: containers survive the restart then.
        keeps = engine.keeps_containers or want.live_restore
        reached = replace(engine, keeps_containers=keeps)
        failure = restart_refusal(stack, reached, "the engine's proxy was not changed")
        if failure is not None:
            return [], [failure], notes
    steps.append(_proxy_step(kind))
    if kind != "start":
        steps.append(restart_step("its proxy is read at the start only", _needs(kind)))
    return steps, [], notes


def settings_of(engine: ObservedEngine) -> dict[str, Any]:
    """Return the settings in daemon.json. Raises Refused."""
    if engine.daemon_json_error is not None:
        raise Refused(engine.daemon_json_error)
    return parse(engine.daemon_json)


def possible(want: Wanted, engine: ObservedEngine) -> Wanted:
    """Return what is wanted without what this engine would not start with."""
    return replace(want, live_restore=want.live_restore and not engine.is_in_swarm)


def _reloaded(
    kind: Kind, want: Wanted, engine: ObservedEngine, current: Mapping[str, Any]
) -> list[Step]:
    """Plan what the engine takes on a reload; also where the file has it and the engine has not."""
    steps = []
    merged = merge(current, want, proxies=False)
    is_ready = kind == "ready"
    if want.live_restore and (
        merged.get(LIVE_RESTORE) != current.get(LIVE_RESTORE)
        or (is_ready and not engine.keeps_containers)
    ):
        steps.append(_LIVE_RESTORE_STEP)
    if want.insecure_registry and (
        merged.get(INSECURE) != current.get(INSECURE)
        or (is_ready and want.insecure_registry not in engine.insecure_registries)
    ):
        steps.append(_registry_step(want))
    return steps


def _needs(kind: Kind) -> str:
    return AFTER_INSTALL if kind == "install" else ""


def _uses_proxy(want: Wanted, engine: ObservedEngine) -> bool:
    """Tell whether the engine has the proxy already, from its unit for example.

    The engine masks passwords in what it tells, so one with a password is never recognised.
    """
    told = (engine.http_proxy, engine.https_proxy, engine.no_proxy)
    return told == (want.http_proxy, want.https_proxy, want.no_proxy)


def _lacks_proxy(want: Wanted, engine: ObservedEngine) -> bool:
    """Tell whether the engine has no proxy at all where one is wanted, whatever the file says."""
    wanted = ((want.http_proxy, engine.http_proxy), (want.https_proxy, engine.https_proxy))
    return any(declared and not told for declared, told in wanted)


def _registry_step(want: Wanted) -> Step:
    return Step(
        Action.CONFIGURE_ENGINE,
        "insecure-registries",
        f"Let {ENGINE} use {want.insecure_registry} without TLS, in daemon.json",
        "image_mirror_insecure = true",
    )


def _proxy_step(kind: Kind) -> Step:
    return Step(
        Action.CONFIGURE_ENGINE,
        "proxies",
        f"Tell {ENGINE} the proxy, in daemon.json",
        "http_proxy and https_proxy are declared",
        needs=_needs(kind),
    )


def package_version(host: ObservedHost) -> str:
    """Return the engine's version by its package, "" where it is not a package: "5:27.3.1-1~…"."""
    version = host.version_of("docker-ce") or host.version_of("docker.io")
    return version.rpartition(":")[2]


def no_proxies(version: str) -> str:
    """Say what is not done about proxies, and how a person can do it."""
    return (
        f"Not done: Docker Engine {version or '(of unknown version)'} reads no proxy from "
        "daemon.json (23.0 and newer do), so image pulls do not use http_proxy. "
        "Set it for its service: sudo systemctl edit docker, [Service], Environment=HTTPS_PROXY=…"
    )


def restart_step(why: str, needs: str = "") -> Step:
    """Return the step that restarts the engine."""
    return Step(Action.RESTART_ENGINE, ENGINE, f"Restart {ENGINE}", why, needs=needs)


def restart_refusal(stack: Stack, engine: ObservedEngine, what: str) -> Failure | None:
    """A restart stops containers; of those that are not ours, only with consent (fault 9)."""
    foreign = engine.foreign(stack.container_prefix)
    if engine.keeps_containers or stack.options.allow_docker_restart:
        return None
    if engine.hides_containers:
        return Failure(what, messages.HIDES_CONTAINERS(), messages.SEE_CONTAINERS())
    if not foreign:
        return None
    cause = messages.STOPS_OTHERS(names=", ".join(foreign))
    return Failure(what, cause, messages.ALLOW_RESTART())
