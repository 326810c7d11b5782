"""Moving a service to its goal: each step takes back what the move did if it fails."""

from __future__ import annotations

from collections.abc import Mapping

from tasks.run.entering import enter
from tasks.run.run import Run
from tasks.run.session import SESSION
from tasks.run.work import Take
from tasks.services.copies import tidy_models
from tasks.services.moved import Moved
from tasks.services.plan import target_of
from tasks.services.takes import TAKES as OF_SERVICES
from tasks.services.undo import undoing
from tasks.words.failures import StepFailed
from tasks.words.steps import Action, Step

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


def move_lock(run: Run, step: Step, moved: Moved) -> None:
    """Enter all that was proven at once, and keep what it replaced."""
    service = step.target
    goal = run.held.goals[service.name]
    enter(run, service, goal.image, goal.models, is_move=True)
    run.held = run.held.without_goal(service.name)
    try:
        tidy_models(run, service)
    except StepFailed as error:
        # It is proven and entered: nothing of it is taken back for the sake of old copies.
        run.teller.note(
            f"{service.name}: {error.cause}; the next converge puts its copies in order"
        )


def _undone(take: Take[Moved]) -> Take[Moved]:
    """Let the whole move of a service be taken back where a step of it fails."""

    def taken(run: Run, step: Step, moved: Moved) -> None:
        if step.service not in run.held.goals:
            take(run, step, moved)
            return
        service = next(s for s in run.stack.services if s.name == step.service)
        with undoing(run, target_of(run, service), moved):
            try:
                take(run, step, moved)
            except StepFailed as error:
                if step.action is not Action.PROVE_MODEL:
                    raise
                # What failed is gone again: nothing of what serves now is to be repaired.
                raise StepFailed(error.cause, STAY) from None

    return taken


def _halting(take: Take[Moved]) -> Take[Moved]:
    """Let the others be where a step fails."""

    def taken(run: Run, step: Step, moved: Moved) -> None:
        try:
            take(run, step, moved)
        except Exception:
            SESSION.halted.add(run.shell.name)
            raise

    return taken


_ALL: Mapping[Action, Take[Moved]] = {**OF_SERVICES, Action.MOVE_LOCK: move_lock}
# Pulls of images, while what runs serves on: nothing is to be taken back yet.
PULLS = {Action.PULL_IMAGE: _halting(OF_SERVICES[Action.PULL_IMAGE])}
TAKES: Mapping[Action, Take[Moved]] = {
    action: _halting(take if action in NOT_UNDONE else _undone(take))
    for action, take in _ALL.items()
}
