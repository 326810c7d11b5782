"""The containers as pyinfra operations: each brings one service's container to its declaration."""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import partial

from pyinfra.api import FunctionCommand, operation

from tasks.containers.spec import ContainerSpec
from tasks.declared.stack import Service
from tasks.run.boundary import bounded
from tasks.run.current import current_run
from tasks.run.run import Run
from tasks.run.take import step_command
from tasks.services import apply
from tasks.services.image import pull_image, tag_image, tidy_images
from tasks.services.plan import container_plans, observe_known, orphans, removals, spec_for
from tasks.words.steps import Action, Step


def container_action(
    action: Action, spec: ContainerSpec, service: Service
) -> Callable[[Run, Step], None] | None:
    """Return the function that takes a step of a container's plan; None for another one."""
    table: dict[Action, Callable[[Run, Step], None]] = {
        Action.PULL_IMAGE: partial(pull_image, service=service),
        Action.TAG_IMAGE: partial(tag_image, service=service),
        Action.CREATE_VOLUME: partial(apply.create_volume, spec=spec),
        Action.SET_ASIDE: partial(apply.set_aside, spec=spec),
        Action.PUT_BACK: partial(apply.put_back, spec=spec, service=service),
        Action.RENAME: partial(apply.rename, spec=spec),
        Action.CREATE: partial(apply.create, spec=spec, service=service),
        Action.START: partial(apply.start, spec=spec, service=service),
        Action.UNPAUSE: partial(apply.unpause, spec=spec, service=service),
        Action.STOP: apply.stop,
        Action.PROVE: partial(apply.prove, spec=spec, service=service),
        Action.REMOVE: partial(apply.remove_previous, spec=spec, service=service),
        Action.TIDY_IMAGES: partial(_tidy, service=service),
    }
    return table.get(action)


def _tidy(run: Run, step: Step, service: Service) -> None:
    tidy_images(run, service)


@operation()
@bounded
def container(service: Service) -> Generator[FunctionCommand, None, None]:
    """Bring the container of a service to its declaration."""
    run = current_run()
    if run.has_failed(service.name):
        return
    snapshot = observe_known(run)
    services = {s.name: s for s in run.stack.services}
    for step in container_plans(run, snapshot).get(service.name, ()):
        # Another service may have to give up its port first.
        owner = services[step.service]
        yield step_command(run, step, container_action(step.action, spec_for(run, owner), owner))


@operation()
@bounded
def undeclared() -> Generator[FunctionCommand, None, None]:
    """Remove what is ours and no longer declared, where this run has the consent to."""
    run = current_run()
    snapshot = observe_known(run)
    if not run.has_failed(""):
        yield from _removals(run, orphans(run, snapshot)[0])


@operation()
@bounded
def removed() -> Generator[FunctionCommand, None, None]:
    """Remove every container of this stack, and its volumes where this run has the consent to."""
    run = current_run()
    snapshot = observe_known(run)
    if not run.has_failed(""):
        yield from _removals(run, removals(run, snapshot))


def _removals(run: Run, steps: list[Step]) -> Generator[FunctionCommand, None, None]:
    table = {
        Action.REMOVE: apply.remove,
        Action.REMOVE_VOLUME: apply.remove_volume,
        Action.REMOVE_IMAGE: apply.remove_image,
    }
    for step in steps:
        yield step_command(run, step, table[step.action])
