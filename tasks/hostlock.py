"""One converge at a time on a host: locks that die with their last holder, no stale files.

Two files, both locked by descriptor (flock), so that whatever ends their holders ends the lock:
the first is held by one process on the host for the whole run, whose pipe to the controller ends
with the controller; the second is shared by every changing command, so that the commands of a
killed run, which live on, keep the next run waiting until they are through.
"""

from __future__ import annotations

import getpass
import os
import platform
import shlex
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import gevent

from tasks.host.sections import values
from tasks.steps import Failure

if TYPE_CHECKING:
    from tasks.run import Run

FOLDER = "/run/lock"
BUSY = 75
# A run that just ended needs a moment to let go.
GRACE = 2
# The commands of a killed run are short: a stop of a container takes the longest.
CHILDREN_WAIT = 60
HEARTBEAT = 0.3
QUICK = 0.01


def lock_path(prefix: str) -> str:
    """Return the file that a whole run locks."""
    return f"{FOLDER}/ollama-stack.{prefix}run"


def children_path(prefix: str) -> str:
    """Return the file that each changing command locks."""
    return f"{FOLDER}/ollama-stack.{prefix}step"


def under_lock(prefix: str, script: str) -> str:
    """Wrap a changing command, so that it holds the lock for as long as it lives."""
    return f"flock -s {shlex.quote(children_path(prefix))} sh -c {shlex.quote(script)}"


def look_script(prefix: str) -> str:
    """Build what shows whether a run is at work; it waits for nobody and keeps nobody waiting."""
    lines = ['held() { [ -e "$1" ] || return 1; flock -n "$1" true; [ $? = 1 ]; }']
    run, step = shlex.quote(lock_path(prefix)), shlex.quote(children_path(prefix))
    lines.append(f'if held {run}; then echo "run=$(head -n 1 {run})"; fi')
    lines.append(f"if held {step}; then echo step=yes; fi")
    return "\n".join(lines)


def at_work(output: str) -> str:
    """Say who is at work, from what `look_script` printed; "" for nobody."""
    found = values(output.splitlines())
    if "run" in found:
        return found["run"] or "a run that did not say who it is"
    return "commands that a run left which was ended" if "step" in found else ""


def holder_script(prefix: str, who: str, wait: int) -> str:
    """Build what holds the lock: it ends when nobody reads its heartbeat any more."""
    run, step = shlex.quote(lock_path(prefix)), shlex.quote(children_path(prefix))
    return (
        f"exec 9<>{run} 8<>{step} || exit 1; chmod a+rw {run} {step} 2>/dev/null; "
        f"flock -w {wait + GRACE} 9 || exit {BUSY}; "
        f"flock -w {wait + CHILDREN_WAIT} 8 || exit {BUSY + 1}; flock -u 8; exec 8<&-; "
        f"printf '%s\\n' {shlex.quote(who)} $$ >{run}; "
        f"while echo; do sleep {HEARTBEAT} 9<&-; done 2>/dev/null"
    )


def take(run: Run) -> Failure | None:
    """Take the lock of the host for this run. Returns why not, where another run has it."""
    prefix = run.stack.container_prefix
    who = (
        f"PID {os.getpid()} of {getpass.getuser()} on {platform.node()},"
        f" since {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    )
    script = holder_script(prefix, who, run.stack.options.lock_wait)
    holder = gevent.spawn(run.sh, f"sh -c {shlex.quote(script)}", timeout=None)
    run.holder = holder
    shown = f"head -n 1 {shlex.quote(lock_path(prefix))} 2>/dev/null; true"
    begun = time.monotonic()
    other, is_told = "somebody who did not say who", not run.stack.options.lock_wait
    while not holder.ready():
        gevent.sleep(QUICK if time.monotonic() - begun < GRACE else HEARTBEAT)
        holds = run.sh(shown).stdout.strip()
        if holds == who:
            return None
        other = holds or other
        if holds and not is_told and time.monotonic() - begun > GRACE:
            run.log(f"  waiting for another run: {holds}")
            is_told = True
    ended = holder.get()
    if "cannot create" in ended.stderr or "ermission" in ended.stderr:
        return Failure(
            "the lock of this host cannot be taken",
            f"{ended.last_words}",
            f"remove {lock_path(prefix)} and {children_path(prefix)} as root, then run again",
        )
    return Failure(
        "another run is at work on this host",
        f"it is {other}, or commands that it left",
        "wait until it ends, or let this one wait for it: --data lock_wait=600",
    )


def release(run: Run) -> None:
    """Let go of the lock at once, for the next run need not wait for the heartbeat."""
    if run.holder is not None:
        path = shlex.quote(lock_path(run.stack.container_prefix))
        run.sh(f"p=$(sed -n 2p {path}) && : >{path} && kill $p; true")
        run.holder = None
