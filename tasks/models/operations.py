"""The models as pyinfra operations: each brings the models of one service to their declaration."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial

from pyinfra.api import FunctionCommand, operation

from tasks.models.pull import pull_model, restore_model
from tasks.ollama.facts import observe
from tasks.ollama.proof import prove_model
from tasks.plan import model_plan
from tasks.run import Run, current_run, step_command
from tasks.stack import Service
from tasks.steps import Action, Step


def _prove(run: Run, step: Step, service: Service) -> None:
    prove_model(run, service, step.subject)


@operation()
def models(service: Service) -> Generator[FunctionCommand, None, None]:
    """Bring the models of a service to their declaration and prove what changed."""
    run = current_run()
    table: dict[Action, Callable[[Run, Step], None]] = {
        Action.PULL_MODEL: partial(pull_model, service=service),
        Action.RESTORE_MODEL: partial(restore_model, service=service),
        Action.PROVE_MODEL: partial(_prove, service=service),
    }
    if run.has_failed(service.name):
        return
    for step in model_plan(run, service, observe(run), ()):
        yield step_command(run, step, table[step.action])
