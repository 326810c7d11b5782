"""The last stage: what stands now, and every failure with its remedy."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tasks.containers.facts import observe
from tasks.containers.observed import Snapshot
from tasks.converge.available import tell_upgrades
from tasks.converge.plan import ability_notes
from tasks.database.rows import ACTIVE, INACTIVE, installed_version, is_active
from tasks.declared.stack import Stack
from tasks.models.plan import undeclared
from tasks.run.holding import release
from tasks.run.pyinfra.stages import has_ignored_errors, perform, stage
from tasks.run.run import Run
from tasks.run.session import SESSION
from tasks.run.work import Command
from tasks.words.failures import Failure
from tasks.words.printable import printable


def commands(run: Run, is_executing: bool) -> Iterable[Command]:
    """Show what stands now; fail the host where anything failed."""
    if is_executing:
        _show(run)
    return (lambda: False,) if run.teller.failures else ()


def _show(run: Run) -> None:
    if has_ignored_errors() and not run.teller.failures:
        run.teller.fail(
            Failure("an operation failed", "its lines above tell", "mend it, run again")
        )
    failed = {failure.service for failure in run.teller.failures}
    for line in summary(run.stack, observe(run), failed):
        run.teller.log(line)
    for line in not_needed(run):
        run.teller.log(line)
    for note in ability_notes(run, observe(run)):
        run.teller.note(note)
    tell_upgrades(run)
    release(run, SESSION)


def not_needed(run: Run) -> Iterable[str]:
    """Say which steps of the plan were not due any more when their turn came.

    Where anything failed nobody knows that: others may only not have been tried.
    """
    if run.decided.plan is None or run.teller.failures or run.shell.name in SESSION.halted:
        return
    for step in run.decided.plan.not_among(run.teller.taken):
        yield f"  planned, and not needed any more: {step}"


@stage("Report")
def report() -> None:
    """Show what stands now, and fail the host where anything failed."""
    perform("Show what stands now", commands, what="report", ends_host=True)


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
