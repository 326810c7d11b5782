"""The models as pyinfra operations: each brings the models of one service to their declaration."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial

from pyinfra.api import FunctionCommand, operation

from tasks.declared.stack import Service
from tasks.run.boundary import bounded
from tasks.run.current import current_run
from tasks.run.run import Run
from tasks.run.take import step_command
from tasks.servers.proof import prove_model
from tasks.services.copies import keep_model, remove_model, tidy_models
from tasks.services.plan import model_plan, observe_known
from tasks.services.pull import pull_model, replace_model
from tasks.words.steps import Action, Step


def _prove(run: Run, step: Step, service: Service) -> None:
    prove_model(run, service, step.subject)


def _tidy(run: Run, step: Step, service: Service) -> None:
    tidy_models(run, service)


def model_action(action: Action, service: Service) -> Callable[[Run, Step], None]:
    """Return the function that takes a step of a plan of models."""
    table: dict[Action, Callable[..., None]] = {
        Action.PULL_MODEL: pull_model,
        Action.RESTORE_MODEL: replace_model,
        Action.KEEP_MODEL: keep_model,
        Action.UPGRADE_MODEL: replace_model,
        Action.PROVE_MODEL: _prove,
        Action.REMOVE_MODEL: remove_model,
        Action.TIDY_MODELS: _tidy,
    }
    return partial(table[action], service=service)


@operation()
@bounded
def models(service: Service) -> Generator[FunctionCommand, None, None]:
    """Bring the models of a service to their declaration and prove what changed."""
    run = current_run()
    if run.has_failed(service.name):
        return
    snapshot = observe_known(run)
    if run.has_failed(service.name):
        return
    for step in model_plan(run, service, snapshot, ()):
        yield step_command(run, step, model_action(step.action, service))
