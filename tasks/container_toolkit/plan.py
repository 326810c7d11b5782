"""What has to be done so that containers can be given the GPU. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.container_toolkit.observed import Toolkit
from tasks.docker_engine.observed import ObservedEngine
from tasks.docker_engine.settings import AFTER_INSTALL, restart_refusal, restart_step
from tasks.host.access import root_needed
from tasks.host.observed import ObservedHost
from tasks.nvidia.versions import older
from tasks.stack import Stack
from tasks.steps import Action, Failure, Step

TOOLKIT = "NVIDIA Container Toolkit"
FIXED = "1.17.8"
ADVISORY = "CVE-2025-23266"


@dataclass(frozen=True)
class ToolkitState:
    """How it stands with the toolkit. With failures there are no steps."""

    steps: tuple[Step, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def toolkit_state(
    toolkit: Toolkit,
    host: ObservedHost,
    stack: Stack,
    engine: ObservedEngine | None,
    *,
    is_engine_planned: bool,
) -> ToolkitState:
    """Plan, for a host whose GPU is usable. `is_engine_planned`: this run brings the engine.

    `engine` is only needed where the toolkit is not there.
    """
    engine = engine or ObservedEngine()
    if toolkit.is_there or _has_devices(engine):
        return ToolkitState(notes=_notes(toolkit))
    if not host.is_default_socket:
        return ToolkitState(failures=(_elsewhere(host),))
    what = f"the {TOOLKIT} is not installed"
    failure = _obstacle(host, what) or restart_refusal(stack, engine, what)
    if failure is not None:
        return ToolkitState(failures=(failure,))
    return ToolkitState(steps=_steps(AFTER_INSTALL if is_engine_planned else ""))


def _has_devices(engine: ObservedEngine) -> bool:
    """Tell whether the engine itself offers the card, by CDI."""
    return any(device.startswith("nvidia.com/gpu") for device in engine.cdi_devices)


def _steps(needs: str) -> tuple[Step, ...]:
    why = "containers are given the GPU by it"
    return (
        Step(Action.INSTALL_TOOLKIT, TOOLKIT, f"Install the {TOOLKIT}", why, needs=needs),
        Step(
            Action.CONFIGURE_TOOLKIT, "daemon.json", f"Register the {TOOLKIT} in daemon.json",
            "so that --runtime=nvidia works", needs="after it is installed",
        ),
        restart_step(f"it looks for the {TOOLKIT} at its start only", "after it is installed"),
    )  # fmt: skip


def _obstacle(host: ObservedHost, what: str) -> Failure | None:
    if not host.apt:
        remedy = "install it by hand (docs.nvidia.com/datacenter), then run again"
        return Failure(what, "this host has no apt-get", remedy)
    return None if host.can_be_root else root_needed(host, f"{what}, and that needs root")


def _elsewhere(host: ObservedHost) -> Failure:
    cause = f"the engine on {host.socket} is not set up by this project, and has no toolkit"
    remedy = 'install nvidia-container-toolkit where that engine runs, or set gpu = "off"'
    return Failure("containers cannot be given the GPU", cause, remedy)


def _notes(toolkit: Toolkit) -> tuple[str, ...]:
    notes = []
    if toolkit.version and older(toolkit.version, FIXED):
        notes.append(
            f"{TOOLKIT} {toolkit.version} lets a container become root on the host ({ADVISORY}); "
            f"{FIXED} and newer do not: "
            "sudo apt-get install --only-upgrade nvidia-container-toolkit"
        )
    if not toolkit.version and toolkit.is_there:
        notes.append(f"The version of the {TOOLKIT} is unknown: {ADVISORY} was not checked.")
    return tuple(notes)
