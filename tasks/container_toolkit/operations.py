"""The toolkit as one operation: installed, registered, and found by the engine."""

from __future__ import annotations

from collections.abc import Generator

from pyinfra.api import FunctionCommand, operation

from tasks.container_toolkit.state import plan_toolkit
from tasks.docker_engine.configure import Edit, current, restart_engine, write
from tasks.docker_engine.daemon_json import with_nvidia
from tasks.docker_engine.operations import failed
from tasks.docker_engine.packages import RepositoryFailed, install, install_known, use_repository
from tasks.docker_engine.sources import Repository
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
    try:
        use_repository(run, REPOSITORY.on(architecture), PACKAGES)
    except RepositoryFailed as error:
        remedy = f'make {REPOSITORY.url} reachable (http_proxy?), or set gpu = "off"'
        raise StepFailed(f"NVIDIA's apt repository cannot be used: {error}", remedy) from None
    install_known(run, PACKAGES)
    edit.needs_restart = True


def configure_toolkit(run: Run, step: Step, edit: Edit) -> None:
    """Register the toolkit's runtime in daemon.json, as nvidia-ctk would. Raises StepFailed."""
    write(run, with_nvidia(current(run)), edit)
