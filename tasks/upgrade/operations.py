"""The upgrade as pyinfra operations: pull all images, then move one service after the other."""

from __future__ import annotations

from collections.abc import Callable, Generator

from pyinfra.api import FunctionCommand, operation

from tasks.declared.stack import Service
from tasks.run.boundary import bounded
from tasks.run.current import all_runs, current_run
from tasks.run.run import Run
from tasks.run.take import step_command
from tasks.run.usage import is_serial
from tasks.services.copies import tidy_models
from tasks.services.model_operations import model_action
from tasks.services.operations import container_action
from tasks.services.plan import observe_known, spec_for
from tasks.services.undo import undoing
from tasks.upgrade.plan import image_steps, service_steps
from tasks.words.steps import Action, Step, StepFailed

Take = Callable[[Run, Step], None]
# These take themselves back, or change nothing that has to come back.
NOT_UNDONE = (
    Action.CREATE,
    Action.PROVE,
    Action.START,
    Action.UNPAUSE,
    Action.REMOVE,
    Action.TIDY_IMAGES,
    Action.TIDY_MODELS,
)
STAY = "stay with what serves; try again when another one is offered, or declare another model"


def move_lock(run: Run, service: Service) -> None:
    """Enter all that was proven at once, and keep what it replaced."""
    goal = run.goals[service.name]
    run.enter(service, goal.image, goal.models, is_move=True)
    del run.goals[service.name]
    try:
        tidy_models(run, service)
    except StepFailed as error:
        # It is proven and entered: nothing of it is taken back for the sake of old copies.
        run.note(f"{service.name}: {error.cause}; the next converge puts its copies in order")


@operation()
@bounded
def images() -> Generator[FunctionCommand, None, None]:
    """Pull the images of all services, while what runs serves on."""
    run = current_run()
    if _failed_before(run):
        run.halted = True
        return
    services = {service.name: service for service in run.stack.services}
    snapshot = observe_known(run)
    for step in image_steps(run, snapshot):
        service = services[step.service]
        yield step_command(run, step, _halting(_take(run, step, service)))


@operation()
@bounded
def service(service: Service) -> Generator[FunctionCommand, None, None]:
    """Move one service to its goal; put it back if anything fails, and let the others be."""
    run = current_run()
    if run.has_failed(service.name):
        return
    if run.halted:
        if service.name in run.goals:
            where = f" on {_failed_before(run)}" if _failed_before(run) else ""
            run.note(f"{service.name}: not tried after the failure above{where}; it is as it was")
        return
    snapshot = observe_known(run)
    if run.has_failed(service.name):
        run.halted = True
        return
    for step in service_steps(run, service, snapshot):
        owner = next(s for s in run.stack.services if s.name == step.service)
        yield step_command(run, step, _halting(_undoing(step, owner, _take(run, step, owner))))


def _failed_before(run: Run) -> str:
    """Name the host whose move failed already, where hosts are taken one by one; "" for none.

    One by one, the first host is the one that shows what the others would meet.
    """
    if not is_serial():
        return ""
    others = (other for other in all_runs() if other is not run and other.halted)
    return next((other.host.name for other in others if other.failures), "")


def _take(run: Run, step: Step, service: Service) -> Take:
    if step.action is Action.MOVE_LOCK:
        return lambda run, step: move_lock(run, service)
    in_container = container_action(step.action, spec_for(run, service), service)
    return in_container or model_action(step.action, service)


def _undoing(step: Step, service: Service, take: Take) -> Take:
    def taken(run: Run, step: Step) -> None:
        with undoing(run, spec_for(run, service), service):
            try:
                take(run, step)
            except StepFailed as error:
                if step.action is not Action.PROVE_MODEL:
                    raise
                # What failed is gone again: nothing of what serves now is to be repaired.
                raise StepFailed(error.cause, STAY) from None

    is_moved = service.name in current_run().goals
    return taken if is_moved and step.action not in NOT_UNDONE else take


def _halting(take: Take) -> Take:
    def taken(run: Run, step: Step) -> None:
        try:
            take(run, step)
        except Exception:
            run.halted = True
            raise

    return taken
