"""The stages of the services: their containers, what is no longer declared, their models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from tasks.declared.stack import Service
from tasks.run.pyinfra.current import current_run
from tasks.run.pyinfra.stages import carry_out, stage
from tasks.run.run import Run
from tasks.run.work import Work
from tasks.services.moved import Moved, begin
from tasks.services.plan import container_plans, model_plan, observe_known, orphans
from tasks.services.takes import TAKES
from tasks.words.steps import Step


def container_steps(run: Run, service: Service) -> Iterable[Step]:
    """Plan the container of a service as it is due now; another one may give up its port first."""
    if run.teller.has_failed(service.name):
        return ()
    return container_plans(run, observe_known(run)).get(service.name, ())


def model_steps(run: Run, service: Service) -> Iterable[Step]:
    """Plan the models of a service as they are due now."""
    if run.teller.has_failed(service.name):
        return ()
    snapshot = observe_known(run)
    if run.teller.has_failed(service.name):
        return ()
    return model_plan(run, service, snapshot, ())


def undeclared_steps(run: Run) -> Iterable[Step]:
    """Plan the removal of what is no longer declared, where this run has the consent to."""
    snapshot = observe_known(run)
    return () if run.teller.has_failed("") else orphans(run, snapshot)[0]


def container_work(service: Service) -> Work[Moved]:
    """Return what brings the container of a service to its declaration."""
    plan = partial(container_steps, service=service)
    return Work("container", plan, TAKES, begin, service.name)


def model_work(service: Service) -> Work[Moved]:
    """Return what brings the models of a service to their declaration, and proves what changed."""
    plan = partial(model_steps, service=service)
    return Work("models", plan, TAKES, begin, service.name)


UNDECLARED = Work("undeclared", undeclared_steps, TAKES, begin)


def container_works(run: Run) -> Iterator[tuple[str, Work[Moved]]]:
    """Return what the stage of the containers does, in its order, each under its title."""
    for service in run.stack.selected:
        yield f"Converge {service.name}", container_work(service)
    yield "See to the undeclared", UNDECLARED


def model_works(run: Run) -> Iterator[tuple[str, Work[Moved]]]:
    """Return what the stage of the models does, one service at a time, each under its title."""
    for service in run.stack.selected:
        yield f"Converge {service.name}", model_work(service)


@stage("Containers")
def provision_containers() -> None:
    """Bring every selected container to its declaration, then what is no longer declared."""
    for title, work in container_works(current_run()):
        carry_out(title, work)


@stage("Models")
def provision_models() -> None:
    """Bring the models of every selected service to their declaration, one service at a time."""
    for title, work in model_works(current_run()):
        carry_out(title, work)
