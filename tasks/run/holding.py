"""Taking the lock of a host for a run, and letting go of it; see hostlock."""

from __future__ import annotations

import os
import platform
import secrets
import shlex
import time
from datetime import UTC, datetime

from tasks.records.runlog import user
from tasks.run import hostfolder
from tasks.run.hostlock import (
    CHILDREN_WAIT,
    GRACE,
    HEARTBEAT,
    TOKEN,
    give_up_script,
    holder_script,
    release_script,
    who_path,
)
from tasks.run.run import Run
from tasks.run.session import Holder, Session
from tasks.words.failures import Failure
from tasks.words.printable import printable

# For the way to the host and back, beyond all that the holder itself waits for.
ANSWER_WAIT = 60
QUICK = 0.01


def take(run: Run, session: Session) -> Failure | None:
    """Take the lock of the host for this run. Returns why not, where another run has it."""
    prefix, wait = run.stack.container_prefix, run.stack.options.lock_wait
    who = (
        f"PID {os.getpid()} of {user()} on {platform.node()},"
        f" since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    )
    mark = f"{TOKEN}-{secrets.token_hex(4)}"
    script = f"sh -c {shlex.quote(holder_script(prefix, who, wait, mark))}"
    process = run.shell.beside(lambda: run.shell.sh(script, timeout=None))
    session.holders[run.shell.name] = Holder(process, mark)
    shown = f"cat {shlex.quote(who_path(prefix))} 2>/dev/null; true"
    begun = time.monotonic()
    limit = 2 * wait + GRACE + CHILDREN_WAIT + ANSWER_WAIT
    other, is_told = "somebody who did not say who", not wait
    while not process.is_done():
        waited = time.monotonic() - begun
        if waited > limit:
            return _give_up(run, mark, limit)
        time.sleep(QUICK if waited < GRACE else HEARTBEAT)
        holds, _, its_mark = run.shell.sh(shown).stdout.strip().partition("\n")
        if its_mark == mark:
            return None
        other = printable(holds) or other
        if holds and not is_told and waited > GRACE:
            run.teller.log(f"  waiting for another run: {other}")
            is_told = True
    said = process.wait()
    return hostfolder.trouble(said.stderr if said is not None else "") or Failure(
        "another run is at work on this host",
        f"it is {other}, or commands that it left",
        "wait until it ends, or let this one wait for it: --data lock_wait=600",
    )


def _give_up(run: Run, mark: str, seconds: float) -> Failure:
    run.shell.sh(give_up_script(run.stack.container_prefix, mark))
    return Failure(
        "the lock of this host cannot be taken",
        f"the host did not say within {seconds:.0f} s whether it is free",
        "see whether its shell answers, then run again",
    )


def release(run: Run, session: Session) -> None:
    """Let go of the lock at once, for the next run need not wait for the heartbeat."""
    holder = session.holders.pop(run.shell.name, None)
    if holder is not None and not holder.process.is_done():
        run.shell.sh(release_script(run.stack.container_prefix, holder.mark))
