"""The stage of the engine: what was planned, in that order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from tasks.docker_engine import engine_install
from tasks.docker_engine.configure import (
    Edit,
    configure_live_restore,
    configure_proxy,
    configure_registry,
    restart_engine,
    start_engine,
)
from tasks.docker_engine.daemon_json import INSECURE, LIVE_RESTORE, PROXIES
from tasks.docker_engine.settings import ENGINE
from tasks.docker_engine.state import plan_engine
from tasks.run.pyinfra.stages import carry_out, stage
from tasks.run.run import Run
from tasks.run.work import Take, Work
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step

SETTINGS: Mapping[str, Take[Edit]] = {
    LIVE_RESTORE: configure_live_restore,
    INSECURE: configure_registry,
    PROXIES: configure_proxy,
}


def _install(run: Run, step: Step, edit: Edit) -> None:
    is_engine = step.subject == ENGINE
    install = engine_install.install_engine if is_engine else engine_install.install_curl
    install(run, step)


def _join(run: Run, step: Step, edit: Edit) -> None:
    engine_install.join_group(run, step)


def _configure(run: Run, step: Step, edit: Edit) -> None:
    SETTINGS[step.subject](run, step, edit)


TAKES: Mapping[Action, Take[Edit]] = {
    Action.INSTALL_PACKAGES: _install,
    Action.JOIN_GROUP: _join,
    Action.CONFIGURE_ENGINE: _configure,
    Action.RESTART_ENGINE: restart_engine,
    Action.START_ENGINE: start_engine,
}


def _planned(run: Run) -> Iterator[Step | Failure]:
    state = plan_engine(run)
    yield from state.failures
    yield from state.steps


def one_edit(run: Run) -> Callable[[Step], Edit]:
    """Return the one edit of daemon.json that the steps of a stage share."""
    edit = Edit()
    return lambda step: edit


WORK = Work("engine", _planned, TAKES, one_edit)


@stage("Docker Engine")
def install_engine() -> None:
    """Install, configure and start Docker Engine, as far as that is needed."""
    carry_out("Install and start", WORK)
