"""The toolkit as one operation: installed, registered, and found by the engine."""

from __future__ import annotations

import shlex
from collections.abc import Generator

from pyinfra.api import FunctionCommand, operation

from tasks.container_toolkit.facts import observe_toolkit
from tasks.container_toolkit.plan import TOOLKIT
from tasks.container_toolkit.state import plan_toolkit
from tasks.docker_engine.configure import Edit, back_up, current, restart_engine, take_back
from tasks.docker_engine.daemon_json import PATH, lost
from tasks.docker_engine.facts import observe_engine
from tasks.docker_engine.operations import failed
from tasks.docker_engine.packages import (
    RepositoryFailed,
    install,
    install_known,
    pinned,
    use_repository,
)
from tasks.docker_engine.sources import Repository
from tasks.host.facts import observe_host
from tasks.host.sections import PRELUDE
from tasks.run import Run, current_run, step_command
from tasks.steps import Action, Step, StepFailed

# docs.nvidia.com/datacenter/cloud-native/container-toolkit: one flat repository for all suites.
REPOSITORY = Repository(
    name="nvidia-container-toolkit",
    url="https://nvidia.github.io/libnvidia-container/stable/deb/amd64",
    suite="/",
    components="",
    key_url="https://nvidia.github.io/libnvidia-container/gpgkey",
    fingerprint="C95B321B61E88C1809C4F759DDCAE044F796ECB0",
)
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


@operation()
def toolkit() -> Generator[FunctionCommand, None, None]:
    """Bring about an engine that can give containers the GPU."""
    run = current_run()
    state = plan_toolkit(run)
    for failure in state.failures:
        yield failed(run, failure)
    edit = Edit()
    for step in state.steps:
        if step.action == Action.INSTALL_TOOLKIT:
            yield step_command(run, step, install_toolkit, edit)
        elif step.action == Action.CONFIGURE_TOOLKIT:
            yield step_command(run, step, configure_toolkit, edit)
        elif step.action == Action.DESCRIBE_GPU:
            yield step_command(run, step, describe_gpu)
        else:
            yield step_command(run, step, restart_with_runtime, edit)


def install_toolkit(run: Run, step: Step, edit: Edit) -> None:
    """Install the toolkit from NVIDIA's repository. Raises StepFailed."""
    install(run, ("curl", "ca-certificates"))
    architecture = run.sh("dpkg --print-architecture").stdout.strip() or "amd64"
    try:
        use_repository(run, REPOSITORY.on(architecture), PACKAGES)
    except RepositoryFailed as error:
        remedy = f'make {REPOSITORY.url} reachable (http_proxy?), or set gpu = "off"'
        raise StepFailed(f"NVIDIA's apt repository cannot be used: {error}", remedy) from None
    pin = run.stack.toolkit_version
    names = VERSIONED if pin else PACKAGES
    install_known(run, pinned(run, names, pin, "toolkit_version"))
    edit.needs_restart = True


def describe_gpu(run: Run, step: Step) -> None:
    """Have the toolkit describe the GPU by CDI, and again after updates where it can.

    Raises StepFailed.
    """
    command = f"nvidia-ctk cdi generate --output={CDI_SPEC}"
    if observe_toolkit(run).has_refresh:
        command = f"systemctl enable --now {REFRESH}.path {REFRESH}.service"
    result = run.sh(f"{PRELUDE}\nmkdir -p /etc/cdi && timeout 60 {command}", timeout=90)
    run.memory.clear()
    if not result.ok:
        raise StepFailed(f"{command}: {result.last_words}", f"sudo {command}")
    if not observe_toolkit(run).cdi_specs:
        cause = "no description of nvidia.com/gpu is there afterwards"
        raise StepFailed(f"{command}: {cause}", "read sudo nvidia-ctk cdi list, then run again")


def restart_with_runtime(run: Run, step: Step, edit: Edit) -> None:
    """Restart the engine and see that it knows NVIDIA's runtime now. Raises StepFailed."""
    restart_engine(run, step, edit)
    run.memory.clear()
    if "nvidia" not in observe_engine(run, is_up=True).runtimes:
        cause = "the engine restarted and does not know the runtime nvidia"
        raise StepFailed(cause, f"see {PATH} and sudo journalctl -u docker -n 50, then run again")


def configure_toolkit(run: Run, step: Step, edit: Edit) -> None:
    """Let nvidia-ctk register its runtime; every other key must survive it. Raises StepFailed."""
    before = current(run)
    text = observe_engine(run, is_up=observe_host(run).answers).daemon_json
    back_up(run, text, edit)
    command = shlex.join(["nvidia-ctk", "runtime", "configure", "--runtime=docker",
                          f"--config={PATH}"])  # fmt: skip
    result = run.sh(f"{PRELUDE}\nmkdir -p /etc/docker && timeout 30 {command}")
    edit.is_made = True
    run.memory.clear()
    if not result.ok:
        take_back(run, edit)
        raise StepFailed(f"{command}: {result.last_words}; {PATH} is as before", f"sudo {command}")
    gone = lost(before, _after(run, edit))
    if gone:
        take_back(run, edit)
        cause = f"the {TOOLKIT} lost settings of {PATH}: {', '.join(gone)}; it is as before"
        raise StepFailed(cause, f"add the runtime by hand to {PATH}, then run again")


def _after(run: Run, edit: Edit) -> dict[str, object]:
    try:
        return current(run)
    except StepFailed as error:
        take_back(run, edit)
        raise StepFailed(f"{error.cause}; it is as before", error.remedy) from None
