"""What has to be done so that containers can be given the GPU. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.apt.pins import other_version_note
from tasks.container_toolkit import messages
from tasks.container_toolkit.observed import Toolkit
from tasks.containers.observed import Attachment
from tasks.declared.stack import Stack
from tasks.docker_engine.daemon_json import FEATURES, NVIDIA
from tasks.docker_engine.observed import ObservedEngine
from tasks.docker_engine.settings import AFTER_INSTALL, restart_refusal, restart_step
from tasks.host.access import root_needed
from tasks.host.observed import ObservedHost
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step
from tasks.words.versions import older

TOOLKIT = "NVIDIA Container Toolkit"
FIXED = "1.17.8"
ADVISORY = "CVE-2025-23266"
CDI_SINCE = "25.0"
# Engine API 1.50: GET /info has DiscoveredDevices (docs.docker.com/reference/api/engine).
TELLS_DEVICES_SINCE = "28.2"


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

    `engine` is only needed where the toolkit is not there, or came after the engine's start.
    """
    engine = engine or ObservedEngine()
    notes = (*_notes(toolkit), *_pin_note(toolkit, stack))
    if stack.gpu_attach == "cdi":
        return _by_cdi(toolkit, host, stack, engine, notes, is_engine_planned=is_engine_planned)
    if _is_unseen(toolkit, host, engine):
        return _finish(host, stack, engine, notes)
    if toolkit.is_there or (stack.gpu_attach == "auto" and has_devices(engine)):
        return ToolkitState(notes=notes)
    if not host.is_default_socket or host.origin == "snap":
        return ToolkitState(failures=(_elsewhere(host),))
    what = f"the {TOOLKIT} is not installed"
    failure = _obstacle(host, what) or restart_refusal(stack, engine, what)
    if failure is not None:
        return ToolkitState(failures=(failure,))
    return ToolkitState(steps=_steps(AFTER_INSTALL if is_engine_planned else ""))


def attachment_of(stack: Stack, toolkit: Toolkit, engine: ObservedEngine | None) -> Attachment:
    """Return how a host's containers are given the GPU; `engine` matters without the toolkit."""
    if stack.gpu_attach != "auto":
        return stack.gpu_attach
    has_only_cdi = not toolkit.is_there and engine is not None and has_devices(engine)
    return "cdi" if has_only_cdi else "gpus"


def _is_unseen(toolkit: Toolkit, host: ObservedHost, engine: ObservedEngine) -> bool:
    """Tell whether an installation was cut off before the engine's restart (fault 29)."""
    is_late = toolkit.is_there and toolkit.came_after_engine
    return bool(is_late and host.is_default_socket and engine.version) and (
        NVIDIA not in engine.runtimes
    )


def _finish(
    host: ObservedHost, stack: Stack, engine: ObservedEngine, notes: tuple[str, ...]
) -> ToolkitState:
    what = f"Docker Engine has not found the {TOOLKIT} yet"
    failure = None if host.can_be_root else root_needed(host, f"{what}: a restart needs root")
    failure = failure or restart_refusal(stack, engine, what)
    if failure is not None:
        return ToolkitState(failures=(failure,), notes=notes)
    return ToolkitState(
        (_register(), restart_step(f"the {TOOLKIT} came after its start")), (), notes
    )


def _register(needs: str = "") -> Step:
    text = f"Register the {TOOLKIT} in daemon.json"
    why = "so that --runtime=nvidia works"
    return Step(Action.CONFIGURE_TOOLKIT, "daemon.json", text, why, needs=needs)


def _by_cdi(
    toolkit: Toolkit,
    host: ObservedHost,
    stack: Stack,
    engine: ObservedEngine,
    notes: tuple[str, ...],
    *,
    is_engine_planned: bool,
) -> ToolkitState:
    """Plan for CDI: the toolkit describes the card in a file, which the engine reads by itself."""
    what = "containers cannot be given the GPU by CDI"
    if engine.version and older(engine.version, CDI_SINCE):
        cause = messages.OLD_ENGINE(version=engine.version, since=CDI_SINCE)
        failure = Failure(what, cause, messages.ATTACH_OR_UPGRADE())
        return ToolkitState(failures=(failure,), notes=notes)
    if not host.is_default_socket and engine.version and not engine.has_cdi:
        return ToolkitState(failures=(_cdi_elsewhere(host, what),), notes=notes)
    steps = _cdi_steps(toolkit, engine, AFTER_INSTALL if is_engine_planned else "")
    failures = [_obstacle(host, what, needs_apt=not toolkit.ctk)] if steps else []
    if any(step.action == Action.RESTART_ENGINE for step in steps):
        failures.append(restart_refusal(stack, engine, what))
    refused = tuple(failure for failure in failures if failure is not None)[:1]
    return ToolkitState(() if refused else tuple(steps), refused, notes)


def _cdi_steps(toolkit: Toolkit, engine: ObservedEngine, needs: str) -> list[Step]:
    why = 'gpu_attach = "cdi"'
    is_described = bool(toolkit.cdi_specs) or has_devices(engine)
    steps = []
    if not is_described and not toolkit.ctk:
        text = f"Install the {TOOLKIT}"
        steps.append(Step(Action.INSTALL_TOOLKIT, TOOLKIT, text, why, needs=needs))
    if not is_described:
        text = "Describe the GPU to Docker (CDI)"
        steps.append(Step(Action.DESCRIBE_GPU, "nvidia.com/gpu", text, why))
    if engine.version and not engine.has_cdi:
        text = "Switch CDI on in daemon.json"
        steps.append(Step(Action.CONFIGURE_TOOLKIT, FEATURES, text, why))
        steps.append(restart_step("CDI is switched on at its start only"))
    return steps


def _pin_note(toolkit: Toolkit, stack: Stack) -> tuple[str, ...]:
    return other_version_note(
        f"The {TOOLKIT}", "toolkit_version", toolkit.version, stack.toolkit_version
    )


def has_devices(engine: ObservedEngine) -> bool:
    """Tell whether the engine itself offers the card, by CDI."""
    return any(device.startswith("nvidia.com/gpu") for device in engine.cdi_devices)


def tells_devices(engine: ObservedEngine) -> bool:
    """Tell whether the engine shows the CDI devices that it found."""
    return bool(engine.version) and not older(engine.version, TELLS_DEVICES_SINCE)


def _steps(needs: str) -> tuple[Step, ...]:
    why = "containers are given the GPU by it"
    return (
        Step(Action.INSTALL_TOOLKIT, TOOLKIT, f"Install the {TOOLKIT}", why, needs=needs),
        _register("after it is installed"),
        restart_step(f"it looks for the {TOOLKIT} at its start only", "after it is installed"),
    )


def _obstacle(host: ObservedHost, what: str, *, needs_apt: bool = True) -> Failure | None:
    if needs_apt and not host.apt:
        return Failure(what, messages.NO_APT(), messages.INSTALL_BY_HAND())
    return None if host.can_be_root else root_needed(host, f"{what}, and that needs root")


def _elsewhere(host: ObservedHost) -> Failure:
    cause = messages.OTHER_ENGINE(socket=host.socket)
    return Failure("containers cannot be given the GPU", cause, messages.INSTALL_THERE())


def _cdi_elsewhere(host: ObservedHost, what: str) -> Failure:
    cause = messages.OTHER_ENGINE_NO_CDI(socket=host.socket)
    return Failure(what, cause, messages.SWITCH_ON_THERE())


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
