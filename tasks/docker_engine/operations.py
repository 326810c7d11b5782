"""The engine as one operation: what was planned, in that order."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from pyinfra.api import FunctionCommand, operation

from tasks.docker_engine.configure import (
    Edit,
    configure_live_restore,
    configure_proxy,
    configure_registry,
    restart_engine,
    start_engine,
)
from tasks.docker_engine.daemon_json import INSECURE, LIVE_RESTORE, PROXIES
from tasks.docker_engine.engine_install import install_curl, install_engine, join_group
from tasks.docker_engine.settings import ENGINE
from tasks.docker_engine.state import plan_engine
from tasks.run.boundary import bounded
from tasks.run.current import current_run
from tasks.run.take import failed, step_command
from tasks.words.steps import Action, Step

Work = Callable[..., None]
_SETTINGS: dict[str, Work] = {
    LIVE_RESTORE: configure_live_restore,
    INSECURE: configure_registry,
    PROXIES: configure_proxy,
}


@operation()
@bounded
def engine() -> Generator[FunctionCommand, None, None]:
    """Bring about an engine that answers and has the declared settings."""
    run = current_run()
    state = plan_engine(run)
    for failure in state.failures:
        yield failed(run, failure)
    edit = Edit()
    for step in state.steps:
        work, arguments = _work(step, edit)
        yield step_command(run, step, work, *arguments)


def _work(step: Step, edit: Edit) -> tuple[Work, tuple[Any, ...]]:
    if step.action == Action.INSTALL_PACKAGES:
        return (install_engine if step.subject == ENGINE else install_curl), ()
    if step.action == Action.JOIN_GROUP:
        return join_group, ()
    if step.action == Action.CONFIGURE_ENGINE:
        return _SETTINGS[step.subject], (edit,)
    if step.action == Action.RESTART_ENGINE:
        return restart_engine, (edit,)
    return start_engine, (edit,)
