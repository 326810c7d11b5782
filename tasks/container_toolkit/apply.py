"""How the toolkit is installed, registered, and found by the engine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from tasks.apt.packages import install, install_known, pinned
from tasks.apt.repositories import RepositoryFailed, use_repository
from tasks.apt.sources import toolkit_repository
from tasks.container_toolkit import messages
from tasks.container_toolkit.facts import observe_toolkit
from tasks.container_toolkit.plan import has_devices, tells_devices
from tasks.container_toolkit.state import plan_toolkit
from tasks.docker_engine.configure import Edit, current, restart_engine, write
from tasks.docker_engine.daemon_json import FEATURES, NVIDIA, PATH, with_cdi, with_nvidia
from tasks.docker_engine.facts import observe_engine
from tasks.docker_engine.stage import one_edit
from tasks.run.run import Run
from tasks.run.work import Take, Work
from tasks.shell.output import PRELUDE
from tasks.words.failures import Failure, StepFailed
from tasks.words.steps import Action, Step

PACKAGES = ("nvidia-container-toolkit",)
# Each wants the others of exactly its own version, which apt does not choose by itself.
VERSIONED = (
    *PACKAGES,
    "nvidia-container-toolkit-base",
    "libnvidia-container-tools",
    "libnvidia-container1",
)
CDI_SPEC = "/etc/cdi/nvidia.yaml"
REFRESH = "nvidia-cdi-refresh"
# Seconds, about, in which an engine that runs takes notice of a new description.
READ_TRIES = 10


def install_toolkit(run: Run, step: Step, edit: Edit) -> None:
    """Install the toolkit from NVIDIA's repository. Raises StepFailed."""
    install(run, ("curl", "ca-certificates"))
    architecture = run.shell.sh("dpkg --print-architecture").stdout.strip() or "amd64"
    repository = toolkit_repository(architecture, run.stack)
    try:
        use_repository(run, repository, PACKAGES)
    except RepositoryFailed as error:
        remedy = messages.OR_NO_GPU(remedy=error.remedy)
        raise StepFailed(messages.REPOSITORY_FAILED(cause=error.cause), remedy) from None
    pin = run.stack.toolkit_version
    names = VERSIONED if pin else PACKAGES
    install_known(run, pinned(run, names, pin, "toolkit_version"))
    edit.needs_restart = True


def describe_gpu(run: Run, step: Step, edit: Edit) -> None:
    """Have the toolkit describe the GPU by CDI, and again after updates where it can.

    Raises StepFailed.
    """
    if observe_toolkit(run).has_refresh:
        _must(run, f"systemctl enable --now {REFRESH}.path {REFRESH}.service")
    # A unit whose conditions do not hold is skipped, and systemctl ends with 0 all the same.
    if not observe_toolkit(run).cdi_specs:
        _must(run, f"nvidia-ctk cdi generate --output={CDI_SPEC}")
    if not observe_toolkit(run).cdi_specs:
        raise StepFailed(messages.NOT_DESCRIBED(), messages.LIST_DEVICES())
    if observe_engine(run, is_up=True).has_cdi:
        see_device(run)


def _must(run: Run, command: str) -> None:
    """Run a command of the toolkit; what was seen before it is forgotten. Raises StepFailed."""
    result = run.shell.sh(f"{PRELUDE}\nmkdir -p /etc/cdi && timeout 60 {command}", timeout=90)
    run.seen.forget()
    if not result.ok:
        cause = messages.COMMAND_FAILED(command=command, words=result.last_words)
        raise StepFailed(cause, messages.TRY_COMMAND(command=command))


def see_device(run: Run) -> None:
    """See that the engine has read the description, where it tells of that. Raises StepFailed."""
    for _ in range(READ_TRIES):
        run.seen.forget()
        seen = observe_engine(run, is_up=True)
        if has_devices(seen) or not tells_devices(seen):
            return
        time.sleep(1)
    raise StepFailed(messages.NO_DEVICE(), messages.READ_BOTH())


def restart_and_look(run: Run, step: Step, edit: Edit) -> None:
    """Restart the engine and see that it can give the GPU now. Raises StepFailed."""
    restart_engine(run, step, edit)
    run.seen.forget()
    seen = observe_engine(run, is_up=True)
    by_cdi = run.stack.gpu_attach == "cdi"
    if not (seen.has_cdi if by_cdi else NVIDIA in seen.runtimes):
        without_runtime = messages.STILL_WITHOUT_RUNTIME(runtime=NVIDIA)
        cause = messages.STILL_WITHOUT_CDI() if by_cdi else without_runtime
        raise StepFailed(cause, messages.SEE_SETTINGS(path=PATH))
    if by_cdi:
        see_device(run)


def configure_toolkit(run: Run, step: Step, edit: Edit) -> None:
    """Register the toolkit's runtime in daemon.json, as nvidia-ctk would, or switch CDI on.

    Raises StepFailed.
    """
    add = with_cdi if step.subject == FEATURES else with_nvidia
    write(run, add(current(run)), edit)
    # Also where the file said so already: a run may have been cut off before the restart.
    edit.needs_restart = True


TAKES: Mapping[Action, Take[Edit]] = {
    Action.INSTALL_TOOLKIT: install_toolkit,
    Action.CONFIGURE_TOOLKIT: configure_toolkit,
    Action.DESCRIBE_GPU: describe_gpu,
    Action.RESTART_ENGINE: restart_and_look,
}


def _planned(run: Run) -> Iterator[Step | Failure]:
    if run.teller.has_failed(""):
        return
    state = plan_toolkit(run)
    yield from state.failures
    yield from state.steps


WORK = Work("toolkit", _planned, TAKES, one_edit)
