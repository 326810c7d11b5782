"""The plan of an upgrade or a rollback: all images first, then one service after the other."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.containers.observed import Snapshot
from tasks.containers.spec import PREVIOUS
from tasks.converge.plan import client_steps
from tasks.declared.stack import Service
from tasks.run.run import Run
from tasks.services.plan import container_plans, is_free, model_plan
from tasks.words.steps import Action, Step


def image_steps(run: Run, snapshot: Snapshot) -> Iterator[Step]:
    """Plan what is pulled while everything serves as it did."""
    for steps in container_plans(run, snapshot).values():
        yield from (step for step in steps if step.action is Action.PULL_IMAGE)


def service_steps(run: Run, service: Service, snapshot: Snapshot) -> list[Step]:
    """Plan one service: to its goal, or, where it has none, to its declaration."""
    container = container_plans(run, snapshot).get(service.name, [])
    container = [step for step in container if step.action is not Action.PULL_IMAGE]
    models = model_plan(run, service, snapshot, container)
    if service.name not in run.held.goals:
        return [*container, *models]
    move = Step(
        Action.MOVE_LOCK,
        service.name,
        f"move {run.stack.lock} to what was proven",
        "what it replaced is kept for a rollback" if run.stack.keep_previous else "",
        service.name,
        target=service,
    )
    return in_order(container, models, move, run.stack.container_name(service) + PREVIOUS)


def in_order(container: list[Step], models: list[Step], move: Step, aside: str) -> list[Step]:
    """Join the plans of a service: the new container, proven with the models it has, then these.

    The lock moves once all of it is proven; only then the container goes that was set aside.
    """
    last = [step for step in container if step.action is Action.REMOVE and step.subject == aside]
    first = [step for step in container if step not in last]
    return [*first, *models, move, *last]


def upgrade_plan(run: Run, host_steps: list[Step], snapshot: Snapshot) -> Iterator[Step]:
    """Return every step of an upgrade in the order in which they are taken."""
    yield from image_steps(run, snapshot)
    for service in run.stack.selected:
        if is_free(run, snapshot, service):
            yield from service_steps(run, service, snapshot)
    yield from client_steps(run, snapshot)
