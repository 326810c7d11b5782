"""The first operation: nothing changes on a host whose preflight failed."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api import FunctionCommand, operation

from tasks.declared.layers import rooted
from tasks.records.lockfile import LockError
from tasks.run import hostlock
from tasks.run.boundary import bounded
from tasks.run.current import current_run, shared_lock
from tasks.run.run import Run
from tasks.words.steps import Failure


@operation()
@bounded
def preflight() -> Generator[FunctionCommand, None, None]:
    """End the host here where it failed as a whole; a service that failed is left out later."""
    run = current_run()
    if run.is_executing and not run.failures:
        run.host.state.failed_hosts.discard(run.host)
    if run.is_executing and run.holder is None and not run.has_failed(""):
        # A person had to confirm first: the host may have changed meanwhile.
        take_lock(run)
        run.memory.clear()
    if run.has_failed(""):
        yield FunctionCommand(_refuse, (), {})


def take_lock(run: Run) -> None:
    """Make this the only run on its host, or note who is at work there.

    What was proven is read again then: whoever had the lock before may have moved it.
    """
    failure = hostlock.take(run)
    if failure is not None:
        run.fail(failure)
        return
    lock = run.lock or shared_lock(rooted(run.stack.lock))
    try:
        lock.reload()
    except LockError as error:
        cause, _, remedy = str(error).partition("\n  remedy: ")
        run.fail(Failure("the lock cannot be read any more", cause, remedy))
        return
    if run.goals and lock.of_host(run.host.name) != run.proven_then:
        cause = f"{run.stack.lock} changed since this run looked at it"
        run.fail(Failure("nothing was moved", cause, "run it again"))


def _refuse(state: Any, host: Any) -> bool:
    return False
