"""The plan of a whole run on one host, from one snapshot: what is printed and what is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.models.plan import plan_models
from tasks.ollama.facts import observe
from tasks.ollama.observed import Snapshot
from tasks.ollama.plan import Wanted, plan_container, plan_orphans, refusal
from tasks.ollama.spec import ContainerSpec, spec_of
from tasks.run import Run
from tasks.stack import Service
from tasks.steps import Action, Step

# Steps after which a service has to prove itself.
CONTAINER_CHANGES = frozenset(
    {Action.CREATE, Action.START, Action.UNPAUSE, Action.PUT_BACK, Action.RENAME}
)


@dataclass(frozen=True)
class ServicePlan:
    """The steps of one service: its container's, then its models'."""

    service: Service
    container: tuple[Step, ...]
    models: tuple[Step, ...]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in their order."""
        return self.container + self.models


def spec_for(run: Run, service: Service) -> ContainerSpec:
    """Return the declared container of a service on this host."""
    has_gpu = run.gpu_is_usable
    if run.gpu_on_hold:
        # The driver waits for a reboot: whoever has the GPU keeps it, nothing is recreated for it.
        current = observe(run).named(run.stack.container_name(service))
        has_gpu = current is not None and bool(current.devices)
    return spec_of(run.stack, service, has_gpu=has_gpu)


def wanted_for(run: Run, service: Service) -> Wanted:
    """Return what the container's plan starts from."""
    digest = ""
    if run.lock is not None:
        digest = run.lock.image_digest(run.host.name, service.name, service.image)
    return Wanted(
        service=service,
        spec=spec_for(run, service),
        image_digest=digest,
        may_adopt=run.stack.options.adopt == service.name,
        needs=run.engine_needs,
    )


def plan_service(run: Run, service: Service, snapshot: Snapshot) -> ServicePlan:
    """Plan one service from what is there now and what this run changed already."""
    container = plan_container(wanted_for(run, service), snapshot)
    actions = {step.action for step in container}
    actions |= {event.action for event in run.events if event.service == service.name}
    proven = {} if run.lock is None else run.lock.model_digests(run.host.name, service.name)
    models = plan_models(
        service,
        snapshot.models(service.name),
        proven,
        container_changed=bool(actions & CONTAINER_CHANGES),
        container_proven=Action.PROVE in actions,
        needs=run.engine_needs,
    )
    return ServicePlan(service, tuple(container), tuple(models))


def planned_now(run: Run, service: Service) -> ServicePlan:
    """Plan one service from a look at the host; nothing where the service has failed."""
    if run.has_failed(service.name):
        return ServicePlan(service, (), ())
    return plan_service(run, service, observe(run))


def orphans(run: Run, snapshot: Snapshot) -> tuple[list[Step], list[str]]:
    """Plan what is ours and no longer declared; not in a run for one service only."""
    if run.stack.options.only:
        return [], []
    options = run.stack.options
    declared = {service.name for service in run.stack.services}
    return plan_orphans(
        run.stack.container_prefix, declared, snapshot, prune=options.prune, purge=options.purge
    )


def refuse(run: Run, snapshot: Snapshot) -> None:
    """Note each service that cannot be touched, so that its steps are left out."""
    for service in run.stack.selected:
        failure = refusal(wanted_for(run, service), snapshot)
        if failure is not None and not run.has_failed(service.name):
            run.fail(failure)


def whole_plan(run: Run, host_steps: list[Step], snapshot: Snapshot) -> Iterator[Step]:
    """Return every step of the run in the order in which they are taken."""
    yield from host_steps
    plans = [
        plan_service(run, service, snapshot)
        for service in run.stack.selected
        if not run.has_failed(service.name)
    ]
    for plan in plans:
        yield from plan.container
    yield from orphans(run, snapshot)[0]
    for plan in plans:
        yield from plan.models


def docker_commands(run: Run, steps: list[Step]) -> Iterator[str]:
    """Return what a person would type for each creation of the plan."""
    created = {step.service for step in steps if step.action is Action.CREATE}
    for service in run.stack.selected:
        if service.name in created:
            yield f"  {service.name} equals: {spec_for(run, service).docker_run()}"
