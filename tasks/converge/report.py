"""The last operation: what stands now, and every failure with its remedy."""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable
from typing import Any

from pyinfra.api import FunctionCommand, operation

from tasks.containers.facts import observe
from tasks.containers.observed import Snapshot
from tasks.converge.available import tell_upgrades
from tasks.converge.plan import ability_notes
from tasks.database.rows import ACTIVE, INACTIVE, installed_version, is_active
from tasks.declared.stack import Stack
from tasks.models.plan import undeclared
from tasks.run import hostlock
from tasks.run.boundary import bounded
from tasks.run.current import current_run
from tasks.words.printable import printable
from tasks.words.steps import Failure


@operation()
@bounded
def report() -> Generator[FunctionCommand, None, None]:
    """Show what stands now; fail the host where anything failed."""
    run = current_run()
    if run.is_executing:
        results = run.host.state.get_results_for_host(run.host)
        if results.ignored_error_ops and not run.failures:
            run.fail(Failure("an operation failed", "its lines above tell", "mend it, run again"))
        failed = {failure.service for failure in run.failures}
        for line in summary(run.stack, observe(run), failed):
            run.log(line)
        for note in ability_notes(run, observe(run)):
            run.note(note)
        tell_upgrades(run)
        hostlock.release(run)
    if run.failures:
        yield FunctionCommand(_fail, (), {})


def _fail(state: Any, host: Any) -> bool:
    return False


def summary(stack: Stack, snapshot: Snapshot, failed: Collection[str] = ()) -> Iterable[str]:
    """Return a line for each service: where it is, what it holds, whether it is up."""
    width = max(len(service.name) for service in stack.services)
    for service in stack.services:
        status = ACTIVE if is_active(service, snapshot) else INACTIVE
        if snapshot.unknown_of(service.name):
            yield f"  {service.name:<{width}}  {service.url}  not known: it could not be seen"
            continue
        if service.name in failed:
            # What was taken back serves; what failed is told last of all.
            status = "failed" if status == INACTIVE else f"{ACTIVE}, with a failure"
        version = installed_version(service, snapshot) or f"{service.model} is not there"
        yield printable(f"  {service.name:<{width}}  {service.url}  {status:<8}  {version}")
        left_alone = undeclared(service, snapshot.models(service.name) or {})
        if left_alone:
            others = ", ".join(left_alone)
            yield printable(f"  {'':<{width}}  not declared and left alone: {others}")
