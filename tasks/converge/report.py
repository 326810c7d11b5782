"""The last operation: what stands now, and every failure with its remedy."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyinfra.api import FunctionCommand, operation

from tasks.containers.facts import observe
from tasks.containers.observed import Snapshot
from tasks.converge.available import tell_upgrades
from tasks.database.rows import ACTIVE, INACTIVE, installed_version, is_active
from tasks.declared.stack import Stack
from tasks.models.plan import undeclared
from tasks.records.runlog import end_all
from tasks.run import hostlock
from tasks.run.boundary import bounded
from tasks.run.run import all_runs, current_run
from tasks.services.plan import ability_notes
from tasks.words.printable import printable
from tasks.words.steps import Failure

_OTHERS: list[Callable[[], Mapping[str, list[Failure]]]] = []


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


def print_failures_last() -> None:
    """See to it that the last lines of the whole run are its failures with their remedies."""
    atexit.unregister(_print_failures)
    atexit.register(_print_failures)


def tell_too(failures: Callable[[], Mapping[str, list[Failure]]]) -> None:
    """Let the last lines tell of hosts, by name, that have no run."""
    _OTHERS.append(failures)


def _print_failures() -> None:
    found = {run.host.name: run.failures for run in all_runs()}
    for others in _OTHERS:
        silent = others()
        found |= silent
        _write_down(silent)
    end_all()
    for host, failures in sorted(found.items()):
        for line in last_words(host, failures):
            print(line, file=sys.stderr)


def _write_down(silent: Mapping[str, list[Failure]]) -> None:
    """Let the log of a run that this process made tell of the hosts that have none."""
    record = next((run.record for run in all_runs() if run.record is not None), None)
    for host, failures in silent.items():
        if record is not None:
            for failure in failures:
                record.failed(replace(failure, what=f"{host}: {failure.what}"))


def last_words(host: str, failures: Sequence[Failure]) -> list[str]:
    """Return the lines that end a run: what failed on a host, each cause with its remedy once."""
    if not failures:
        return []
    count = "1 failure" if len(failures) == 1 else f"{len(failures)} failures"
    by_cause: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        by_cause.setdefault((failure.cause, failure.remedy), []).append(failure)
    lines = []
    for same in by_cause.values():
        *heads, last = [failure.lines() for failure in same]
        lines += [*(head[0] for head in heads), *last]
    return ["", f"{count} on {printable(host)}:", *(f"  {line}" for line in lines)]
