"""What services are to be brought to: what registries offer now, or what was proven before."""

from __future__ import annotations

from tasks.containers.facts import observe
from tasks.containers.observed import Snapshot
from tasks.declared.stack import Service
from tasks.host.facts import observe_host
from tasks.models.kept import is_interrupted
from tasks.models.plan import is_copied
from tasks.records.goals import Goal, rollback_goal, upgrade_goal
from tasks.registry.manifests import RegistryFault
from tasks.run.run import Run
from tasks.services.plan import container_plans, observe_known
from tasks.upgrade.offers import Offer, ask, offers, summary
from tasks.words.failures import Failure


def look_for_upgrades(run: Run) -> None:
    """Ask the registries what they offer for what is declared, and show what would change."""
    if not _is_ready(run):
        return
    snapshot, found = observe(run), list[Offer]()
    for service in run.stack.selected:
        if not _can_move(run, service, snapshot):
            continue
        offered = ask(run, service, run.stack.options.parts)
        if isinstance(offered, RegistryFault):
            what = "cannot tell whether there is an upgrade"
            run.teller.fail(Failure(what, offered.cause, offered.remedy, service.name))
            continue
        image, models = offered
        digests = {model: manifest.digest for model, manifest in models.items()}
        lock, parts = run.held.locked(service), run.stack.options.parts
        goal = upgrade_goal(service, lock, image, digests, parts)
        if goal is None:
            run.teller.log(f"  {service.name}: is at what its registries offer")
            continue
        run.held = run.held.with_goal(service.name, goal)
        for offer in offers(run, service, goal, snapshot):
            run.teller.log(f"  {offer}")
            found.append(offer)
    if found:
        run.teller.log(f"  {summary(found, observe_host(run).disk_free)}")
    _refuse_swapped_ports(run, snapshot)


def look_for_previous(run: Run) -> None:
    """Take what was proven before the present image and models as the goal; nothing is asked."""
    if not _is_ready(run):
        return
    snapshot = observe(run)
    is_any_interrupted = False
    for service in run.stack.selected:
        if not _can_move(run, service, snapshot):
            is_any_interrupted |= service.active
            continue
        goal = rollback_goal(service, run.held.locked(service), run.stack.options.parts)
        if goal is None:
            run.teller.note(f"{service.name}: there is nothing before what it has now")
            continue
        failure = _not_kept(service, goal, snapshot)
        if failure is not None:
            run.teller.fail(failure)
            continue
        run.held = run.held.with_goal(service.name, goal)
        if goal.reference != service.image:
            _declare(run, service, "image", goal.reference)
        if goal.model not in ("", service.model):
            _declare(run, service, "model", goal.model)
    if not run.held.goals and not run.teller.failures and not is_any_interrupted:
        names = ", ".join(service.name for service in run.stack.selected)
        cause = f"nothing was proven before what {names} has now"
        run.teller.fail(
            Failure("nothing to go back to", cause, "an upgrade keeps what it replaces")
        )
    _refuse_swapped_ports(run, snapshot)


def _refuse_swapped_ports(run: Run, snapshot: Snapshot) -> None:
    """Services are moved one by one, each taken back alone: none may wait for another's port."""
    plans = container_plans(run, snapshot).items()
    if any(step.service != name for name, steps in plans for step in steps):
        cause = "the declaration lets services take each other's ports as well"
        run.teller.fail(
            Failure("nothing to move", cause, "converge first (./main.sh setup), then this")
        )


def _is_ready(run: Run) -> bool:
    snapshot = observe_known(run)
    if not run.teller.has_failed("") and not snapshot.version:
        cause = "Docker does not answer, or is not installed"
        run.teller.fail(Failure("nothing to move", cause, "./main.sh setup first"))
    return not run.teller.has_failed("")


def _can_move(run: Run, service: Service, snapshot: Snapshot) -> bool:
    """Tell whether a service can be moved; one that was interrupted is only brought in order."""
    if run.teller.has_failed(service.name):
        return False
    if not service.active:
        run.teller.log(f"  {service.name}: is declared inactive, and not moved")
        return False
    name = run.stack.container_name(service)
    if is_interrupted(snapshot, name, service, run.held.locked(service).models):
        run.teller.note(
            f"{service.name}: a run before this one was interrupted; this one brings it in order,"
            " then run this again"
        )
        return False
    return True


def _not_kept(service: Service, goal: Goal, snapshot: Snapshot) -> Failure | None:
    held = snapshot.models(service.name) or {}
    gone = [
        model
        for model, digest in goal.model_digests.items()
        if not is_copied(model, digest, held)
        and not (model in held and held[model].digest == digest)
    ]
    if not gone:
        return None
    return Failure(
        "cannot go back",
        f"the {gone[0]} before the present one is not kept on the volume (or its server is down)",
        f"the image alone: ./main.sh rollback {service.name} --image; see keep_previous",
        service.name,
    )


def _declare(run: Run, service: Service, key: str, value: str) -> None:
    """Take something else as declared, for this run; the declaration is the person's to change."""
    present = next(s for s in run.stack.services if s.name == service.name)
    also = tuple(model for model in present.also if model != value)
    before = Service.model_validate({**present.model_dump(), key: value, "also": also})
    services = tuple(before if s.name == service.name else s for s in run.stack.services)
    run.stack = run.stack.model_copy(update={"services": services})
    run.teller.note(
        f"{service.name}: {getattr(service, key)} is declared; the next converge goes there again"
        f' unless models.{service.name}.{key} = "{value}" is set in stack.toml'
    )
