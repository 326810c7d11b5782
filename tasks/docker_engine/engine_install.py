"""The steps that bring packages of the Docker Engine onto a host."""

from __future__ import annotations

from tasks.apt.packages import install, install_known, pinned
from tasks.apt.repositories import RepositoryFailed, use_repository
from tasks.apt.sources import docker_repository
from tasks.docker_engine import messages
from tasks.docker_engine.plan import source_of
from tasks.host.facts import observe_host
from tasks.host.observed import ObservedHost
from tasks.run.run import Run
from tasks.shell.local import quote
from tasks.shell.output import PRELUDE
from tasks.words.failures import StepFailed
from tasks.words.steps import Step

TOOLS = ("curl", "ca-certificates")
# iptables is only recommended by docker.io, and dockerd does not start without it.
DISTRIBUTION_PACKAGES = ("iptables", *TOOLS)
ENGINE_PACKAGES = ("docker-ce", "docker-ce-cli")
DOCKER_PACKAGES = (*ENGINE_PACKAGES, "containerd.io")


def install_curl(run: Run, step: Step) -> None:
    """Install curl. Raises StepFailed."""
    install(run, TOOLS)


def install_engine(run: Run, step: Step) -> None:
    """Install the engine from Docker's repository or the distribution. Raises StepFailed."""
    host = observe_host(run)
    source = source_of(host, run.stack)
    install(run, TOOLS)
    if source == "distro" or not _from_docker(run, host, may_fail=source == "auto"):
        _from_distribution(run)


def join_group(run: Run, step: Step) -> None:
    """Let the user who runs this use Docker without sudo; that it cannot be is no failure."""
    command = f"usermod -aG docker {quote(step.subject)}"
    result = run.shell.sh(
        f"{PRELUDE}\ngetent group docker >/dev/null || groupadd --system docker\n{command}"
    )
    if not result.ok:
        # A user of a directory service, for example, whom usermod does not know.
        run.teller.note(
            f"{step.subject} was not added to the group docker ({result.last_words}): add them"
            " where your users are kept, or set docker_group = false"
        )
        return
    run.teller.note(
        f"{step.subject} may use Docker without sudo from the next login on: log out and in again "
        "(or: newgrp docker); id -nG shows it"
    )


def _from_docker(run: Run, host: ObservedHost, *, may_fail: bool) -> bool:
    """Install from Docker's repository. False where it cannot be used and `may_fail`."""
    try:
        use_repository(run, docker_repository(host, run.stack), DOCKER_PACKAGES)
    except RepositoryFailed as error:
        if not may_fail:
            remedy = messages.OR_DISTRIBUTION(remedy=error.remedy)
            raise StepFailed(messages.REPOSITORY_FAILED(cause=error.cause), remedy) from None
        run.teller.note(
            f"Docker's apt repository cannot be used ({error}): "
            f"docker.io of {host.distribution.pretty_name} is installed in its place."
        )
        return False
    engine = pinned(run, ENGINE_PACKAGES, run.stack.docker_version, "docker_version")
    install_known(run, (*engine, "containerd.io"))
    return True


def _from_distribution(run: Run) -> None:
    """Install docker.io; newer distributions have its command in a package of its own."""
    has_cli = run.shell.sh("apt-cache show docker-cli >/dev/null 2>&1").ok
    names = ("docker.io", *(("docker-cli",) if has_cli else ()))
    engine = pinned(run, names, run.stack.docker_version, "docker_version")
    install_known(run, (*engine, *DISTRIBUTION_PACKAGES))
