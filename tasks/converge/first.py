"""The first operation: nothing changes on a host that failed, or where another run is at work."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.declared.layers import rooted
from tasks.records.lockfile import LockError
from tasks.run import holding
from tasks.run.pyinfra.stages import set_failed
from tasks.run.run import Run
from tasks.run.session import SESSION
from tasks.run.work import Command
from tasks.words.failures import Failure


def commands(run: Run, is_executing: bool) -> Iterable[Command]:
    """End the host here where it failed as a whole; a service that failed is left out later."""
    if is_executing and not run.teller.failures:
        set_failed(is_failed=False)
    if is_executing and run.shell.name not in SESSION.holders and not run.teller.has_failed(""):
        # A person had to confirm first: the host may have changed meanwhile.
        take_lock(run)
        run.seen.forget()
    return (lambda: False,) if run.teller.has_failed("") else ()


def take_lock(run: Run) -> None:
    """Make this the only run on its host, or note who is at work there.

    What was proven is read again then: whoever had the lock before may have moved it.
    """
    failure = holding.take(run, SESSION)
    if failure is not None:
        run.teller.fail(failure)
        return
    try:
        (run.held.lock or SESSION.lock(rooted(run.stack.lock))).reload()
    except LockError as error:
        run.teller.fail(error.named("the lock cannot be read any more"))
        return
    if run.held.goals and run.held.has_changed:
        cause = f"{run.stack.lock} changed since this run looked at it"
        run.teller.fail(Failure("nothing was moved", cause, "run it again"))
