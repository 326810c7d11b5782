"""Moving the services of a host to their goals: all images first, then one after the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from tasks.declared.stack import Service
from tasks.run.pyinfra.usage import is_serial
from tasks.run.run import Run
from tasks.run.session import SESSION
from tasks.run.work import Work
from tasks.services.moved import Moved, begin
from tasks.services.plan import observe_known
from tasks.upgrade.plan import image_steps, service_steps
from tasks.upgrade.takes import PULLS, TAKES
from tasks.words.steps import Step


def moves(run: Run) -> Iterator[tuple[str, Work[Moved]]]:
    """Return what the stage does, in its order, each under its title."""
    yield "Pull images", Work("images", image_pulls, PULLS, begin)
    for service in run.stack.selected:
        plan = partial(move_steps, service=service)
        yield f"Move {service.name}", Work("service", plan, TAKES, begin, service.name)


def image_pulls(run: Run) -> Iterable[Step]:
    """Plan the pulls of the images of all services, while what runs serves on."""
    if _failed_before(run):
        SESSION.halted.add(run.shell.name)
        return ()
    return image_steps(run, observe_known(run))


def move_steps(run: Run, service: Service) -> Iterable[Step]:
    """Plan the move of one service as it is due now; none where another one failed before it."""
    if run.teller.has_failed(service.name):
        return ()
    if run.shell.name in SESSION.halted:
        if service.name in run.held.goals:
            where = f" on {_failed_before(run)}" if _failed_before(run) else ""
            run.teller.note(
                f"{service.name}: not tried after the failure above{where}; it is as it was"
            )
        return ()
    snapshot = observe_known(run)
    if run.teller.has_failed(service.name):
        SESSION.halted.add(run.shell.name)
        return ()
    return service_steps(run, service, snapshot)


def _failed_before(run: Run) -> str:
    """Name the host whose move failed already, where hosts are taken one by one; "" for none.

    One by one, the first host is the one that shows what the others would meet.
    """
    if not is_serial():
        return ""
    others = (SESSION.runs[name] for name in SESSION.halted if name != run.shell.name)
    return next((other.shell.name for other in others if other.teller.failures), "")
