"""The toolkit as one operation: installed, registered, and found by the engine."""

from __future__ import annotations

import shlex
from collections.abc import Generator

from pyinfra.api import FunctionCommand, operation

from tasks.container_toolkit.plan import TOOLKIT
from tasks.container_toolkit.state import plan_toolkit
from tasks.docker_engine.configure import Edit, back_up, current, restart_engine, take_back
from tasks.docker_engine.daemon_json import PATH, lost
from tasks.docker_engine.facts import observe_engine
from tasks.docker_engine.operations import failed
from tasks.docker_engine.packages import RepositoryFailed, install, install_known, use_repository
from tasks.docker_engine.sources import toolkit_repository
from tasks.host.facts import observe_host
from tasks.host.sections import PRELUDE
from tasks.run import Run, current_run, step_command
from tasks.steps import Action, Step, StepFailed

PACKAGES = ("nvidia-container-toolkit",)


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
        else:
            yield step_command(run, step, restart_engine, edit)


def install_toolkit(run: Run, step: Step, edit: Edit) -> None:
    """Install the toolkit from NVIDIA's repository. Raises StepFailed."""
    install(run, ("curl", "ca-certificates"))
    architecture = run.sh("dpkg --print-architecture").stdout.strip() or "amd64"
    repository = toolkit_repository(architecture, run.stack)
    try:
        use_repository(run, repository, PACKAGES)
    except RepositoryFailed as error:
        remedy = f'{error.remedy}, or set gpu = "off"'
        raise StepFailed(f"NVIDIA's apt repository cannot be used: {error}", remedy) from None
    install_known(run, PACKAGES)
    edit.needs_restart = True


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
