"""The plan of each service and of what is no longer declared, from one snapshot of a host."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tasks.container_toolkit.state import attachment
from tasks.containers.devices import lost_devices
from tasks.containers.facts import observe
from tasks.containers.observed import Snapshot, seeing
from tasks.containers.plan import (
    ContainerTarget,
    Wanted,
    order_by_ports,
    plan_container,
    plan_orphans,
    refusal,
    without_repeated_pulls,
)
from tasks.containers.spec import ContainerSpec, spec_as_attached, spec_of
from tasks.declared.references import ImageReference, image_path
from tasks.declared.stack import Service
from tasks.models.plan import WantedModels, plan_models
from tasks.run.run import Run
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step

# Steps after which a service has to prove itself.
CONTAINER_CHANGES = frozenset(
    {Action.CREATE, Action.START, Action.UNPAUSE, Action.PUT_BACK, Action.RENAME}
)


def spec_for(run: Run, service: Service) -> ContainerSpec:
    """Return the declared container of a service on this host."""
    if run.decided.gpu_on_hold:
        # The driver waits for a reboot: nothing is recreated for it.
        current = observe(run).named(run.stack.container_name(service))
        return spec_as_attached(run.stack, service, current)
    return spec_of(run.stack, service, gpu=attachment(run))


def wanted_for(run: Run, service: Service) -> Wanted:
    """Return what the container's plan starts from."""
    name = run.stack.container_name(service)
    # Only what once worked was lost: where a new container proves the CPU, it is left at that.
    had_gpu = run.decided.gpu_is_usable and bool(run.held.locked(service).partial_models)
    lost = lost_devices(run, observe(run)).said if had_gpu else {}
    before = image_before(run, service)
    return Wanted(
        service=service,
        spec=spec_for(run, service),
        image_digest=run.held.image_digest(service),
        staged=run.held.is_staged(service),
        previous=previous_image(run, service),
        kept_in=before.name if before is not None else "",
        may_adopt=run.stack.options.adopt == service.name,
        do_restart=run.stack.options.restart,
        needs=run.decided.engine_needs,
        lost_gpu=lost.get(name, ""),
    )


def target_of(run: Run, service: Service) -> ContainerTarget:
    """Return what whoever takes a step of a service needs to know, as it is declared now."""
    digest, staged = run.held.image_digest(service), run.held.is_staged(service)
    return ContainerTarget.of(service, spec_for(run, service), digest, staged=staged)


def image_before(run: Run, service: Service) -> ImageReference | None:
    """Return the image that was proven before the present one, as it is pulled; None for none."""
    before = run.held.image_before(service)
    return ImageReference.parse(before.reference).at(run.stack.image_mirror) if before else None


def previous_image(run: Run, service: Service) -> str | None:
    """Return the digest of the image to keep; "" for none, None where nothing was proven."""
    if run.held.locked(service).image is None:
        return None
    before = run.held.image_before(service)
    return before.digest if before is not None and run.stack.keep_previous else ""


def is_free(run: Run, snapshot: Snapshot, service: Service) -> bool:
    """Tell whether steps of a service may be planned: it has not failed, and is known."""
    return not run.teller.has_failed(service.name) and not snapshot.unknown_of(service.name)


def container_plans(run: Run, snapshot: Snapshot) -> dict[str, list[Step]]:
    """Plan the containers of all selected services, in an order in which their ports are free."""
    services = [s for s in run.stack.selected if is_free(run, snapshot, s)]
    plans = {s.name: plan_container(wanted_for(run, s), snapshot) for s in services}
    published = {s.name: _held_ports(snapshot, run.stack.container_name(s)) for s in services}
    ordered = order_by_ports(plans, {s.name: s.port for s in services}, published)
    return without_repeated_pulls(ordered)


def _held_ports(snapshot: Snapshot, name: str) -> set[int]:
    container = snapshot.named(name)
    return container.held_ports if container is not None else set()


def wanted_models(run: Run, service: Service) -> WantedModels:
    """Return what the plan of a service's models starts from."""
    lock, options = run.held.locked(service), run.stack.options
    return WantedModels(
        service=service,
        digests=run.held.model_digests(service),
        proven=lock.model_digests,
        previous=lock.previous_models if run.stack.keep_previous else {},
        gpu_proven=lock.partial_models if service.gpu_partial else lock.gpu_models,
        unknown=lock.unknown_models,
        is_upgrade=service.name in run.held.goals,
        pull_names={run.stack.pull_name(model) for model in service.models} - {*service.models},
        may_remove=options.prune and options.purge,
        needs=run.decided.engine_needs,
    )


def model_plan(
    run: Run, service: Service, snapshot: Snapshot, container: Iterable[Step]
) -> list[Step]:
    """Plan the models of a service, after these steps of its container and what was done so far."""
    actions = {step.action for step in container if step.service == service.name}
    actions |= {event.action for event in run.teller.events if event.service == service.name}
    return plan_models(
        wanted_models(run, service),
        snapshot.models(service.name),
        container_changed=bool(actions & CONTAINER_CHANGES),
        container_proven=Action.PROVE in actions,
    )


def orphans(run: Run, snapshot: Snapshot) -> tuple[list[Step], list[str]]:
    """Plan what is ours and no longer declared; not in a run for one service only."""
    if run.stack.options.only or snapshot.unknown.get(""):
        return [], []
    options = run.stack.options
    declared = {service.name for service in run.stack.services}
    purge = options.prune and options.purge
    return plan_orphans(
        run.stack.container_prefix,
        declared,
        snapshot,
        prune=options.prune,
        purge=purge,
        known=known_services(run, snapshot),
        paths=known_images(run),
    )


def known_services(run: Run, snapshot: Snapshot) -> set[str]:
    """Return the services that this host has or had: by declaration, label and lock."""
    labelled = {c.service for c in snapshot.containers if c.is_of(run.stack.container_prefix)}
    return {service.name for service in run.stack.services} | labelled | run.held.services


def known_images(run: Run) -> set[str]:
    """Return the repositories of the images that services of this host have or had."""
    references = {service.image for service in run.stack.services}
    for name in run.held.services:
        image = run.held.of(name).image
        references |= {one.reference for one in (image, image and image.previous) if one}
    return {image_path(reference) for reference in references} - {""}


def removals(run: Run, snapshot: Snapshot) -> list[Step]:
    """Plan the removal of everything that is ours; of the volumes only with `purge`."""
    stack = run.stack
    only = stack.options.only
    known = known_services(run, snapshot)
    declared = known - {only} if only else set()
    steps, _ = plan_orphans(
        stack.container_prefix,
        declared,
        snapshot,
        prune=True,
        purge=stack.options.purge,
        known=known,
        paths=known_images(run),
    )
    return [replace(step, why="asked for") for step in steps]


def refuse_unknown(run: Run, snapshot: Snapshot) -> None:
    """Note what nobody could see, so that nothing is planned from it: a host, or some services."""
    for name, cause in snapshot.unknown.items():
        if run.teller.has_failed(name):
            continue
        if not name:
            socket = run.stack.docker_socket
            remedy = (
                f"run again; if it stays so: curl --unix-socket {socket} http://docker/version,"
                " and journalctl -u docker, tell more"
            )
            run.teller.fail(Failure("left as it is: not all of it could be seen", cause, remedy))
            continue
        remedy = seeing(run.stack.container_prefix + name)
        run.teller.fail(Failure("left as it is: not all of it could be seen", cause, remedy, name))


def observe_known(run: Run) -> Snapshot:
    """Look at the host, and note what of it nobody could see."""
    snapshot = observe(run)
    refuse_unknown(run, snapshot)
    return snapshot


def refuse(run: Run, snapshot: Snapshot) -> None:
    """Note each service that cannot be touched, so that its steps are left out."""
    refuse_unknown(run, snapshot)
    for service in run.stack.selected:
        failure = refusal(wanted_for(run, service), snapshot)
        if failure is not None and not run.teller.has_failed(service.name):
            run.teller.fail(failure)
