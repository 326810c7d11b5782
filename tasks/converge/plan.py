"""The plan of a whole run on one host, from one snapshot: what is printed and what is done."""

from __future__ import annotations

from collections.abc import Iterator

from tasks.clients.state import plan_clients
from tasks.containers.observed import Snapshot
from tasks.run.run import Run
from tasks.servers.abilities import lacking
from tasks.servers.generation import left_gpu
from tasks.services.plan import container_plans, is_free, model_plan, orphans, spec_for
from tasks.words.steps import Action, Step


def whole_plan(run: Run, host_steps: list[Step], snapshot: Snapshot) -> Iterator[Step]:
    """Return every step of the run in the order in which they are taken."""
    yield from host_steps
    containers = container_plans(run, snapshot)
    everything = [step for steps in containers.values() for step in steps]
    yield from everything
    yield from orphans(run, snapshot)[0]
    for service in run.stack.selected:
        if is_free(run, snapshot, service):
            yield from model_plan(run, service, snapshot, everything)
    yield from client_steps(run, snapshot)


def client_steps(run: Run, snapshot: Snapshot) -> list[Step]:
    """Plan the files of the clients, as they will be once the services are as declared."""
    plan = plan_clients(run, snapshot, is_ahead=True)
    for failure in plan.failures:
        if failure not in run.teller.failures:
            run.teller.fail(failure)
    return plan.steps()


def gpu_notes(run: Run, snapshot: Snapshot) -> Iterator[str]:
    """Tell of each service whose model is in memory and has left the GPU."""
    for service in run.stack.selected:
        proven = run.held.locked(service).gpu_models
        told = left_gpu(snapshot.server(service.name), service, proven)
        if told:
            yield f"{service.name}: {told}: nvidia-smi shows what else uses the card"


def ability_notes(run: Run, snapshot: Snapshot) -> Iterator[str]:
    """Tell what the roles of the services need and their models cannot do, as it was proven."""
    for service in run.stack.selected:
        if service.active and snapshot.named(run.stack.container_name(service)) is not None:
            yield from lacking(run.stack, service, run.held.locked(service).abilities)


def docker_commands(run: Run, steps: list[Step]) -> Iterator[str]:
    """Return what a person would type for each creation of the plan."""
    created = {step.service for step in steps if step.action is Action.CREATE}
    for service in run.stack.selected:
        if service.name in created:
            yield f"  {service.name} equals: {spec_for(run, service).docker_run()}"
