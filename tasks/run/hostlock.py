"""One converge at a time on a host: locks that die with their last holder, no stale files.

Two files, both locked by descriptor (flock), so that whatever ends their holders ends the lock:
the first is held by one process on the host for the whole run, whose pipe to the controller ends
with the controller; the second is shared by every changing command, so that the commands of a
killed run, which live on, keep the next run waiting until they are through.

They lie in a folder that only root and the group docker, whose members can become root, may write:
nobody else can hold them, put a link in their place or name somebody else as their holder. What is
read there is shown and nothing more; no process is ended by a number that was read. The files of
older versions in /run/lock are not held beside them: everybody can lock those and so stop all.
"""

from __future__ import annotations

import secrets
import shlex

from tasks.run import hostfolder
from tasks.run.hostfolder import BUSY, UNSEEN
from tasks.shell.output import values
from tasks.words.printable import printable

# A run that just ended needs a moment to let go.
GRACE = 2
# The commands of a killed run are short: a stop of a container takes the longest.
CHILDREN_WAIT = 60
# Shorter than the time for which who sends a command waits beyond what the command itself may take:
# a command that was given up on is not carried out later.
COMMAND_WAIT = 8
HEARTBEAT = 0.3
# This process, for its own commands: those of a run whose lock went to another are not carried out.
TOKEN = secrets.token_hex(8)


def lock_path(prefix: str) -> str:
    """Return the file that a whole run locks."""
    return f"{hostfolder.FOLDER}/{prefix}run"


def children_path(prefix: str) -> str:
    """Return the file that each changing command locks."""
    return f"{hostfolder.FOLDER}/{prefix}step"


def who_path(prefix: str) -> str:
    """Return the file that tells who had the lock last: a line for people, and the run's mark."""
    return f"{hostfolder.FOLDER}/{prefix}who"


def _paths(prefix: str) -> str:
    run, step, who = lock_path(prefix), children_path(prefix), who_path(prefix)
    return f"run={shlex.quote(run)} step={shlex.quote(step)} who={shlex.quote(who)}; "


def under_lock(prefix: str, script: str) -> str:
    """Wrap a changing command, so that it holds the lock for as long as it lives.

    It is not carried out at all where others keep the lock, or where the next run has begun.
    """
    lines = (
        f"{_paths(prefix)}"
        f'say() {{ echo "$1: $(head -n 1 "$who" 2>/dev/null)" >&2; exit {BUSY}; }}; '
        '[ -r "$step" ] || say "the lock of this host is gone, it was held by"; '
        f'exec 8<"$step"; flock -s -w {COMMAND_WAIT} 8 || say "another run has the lock"; '
        f'case $(sed -n 2p "$who" 2>/dev/null) in ""|{TOKEN}*) ;; '
        '*) say "the next run has begun already" ;; esac; '
    )
    return f"sh -c {shlex.quote(lines + script)}"


def look_script(prefix: str) -> str:
    """Build what shows whether a run is at work; it waits for nobody and keeps nobody waiting."""
    folder = shlex.quote(hostfolder.FOLDER)
    return (
        f"{_paths(prefix)}[ -d {folder} ] || exit 0; [ -x {folder} ] || echo {UNSEEN}=yes\n"
        'held() { [ -e "$1" ] || return 1; flock -n "$1" true; [ $? = 1 ]; }\n'
        'if held "$run"; then echo "run=$(head -n 1 "$who")"; fi\n'
        'if held "$step"; then echo "step=$(head -n 1 "$who")"; fi'
    )


def at_work(output: str) -> str:
    """Say who is at work, from what `look_script` printed; "" for nobody."""
    found = values(output.splitlines())
    if "run" in found:
        return printable(found["run"]) or "a run that did not say who it is"
    if "step" in found:
        who = printable(found["step"])
        return "commands that a run left which was ended" + (f" ({who})" if who else "")
    return ""


def is_unseen(output: str) -> bool:
    """Tell whether who looked may not know, from what `look_script` printed."""
    return UNSEEN in values(output.splitlines())


def holder_script(prefix: str, who: str, wait: int, mark: str = TOKEN) -> str:
    """Build what holds the lock: it ends when nobody reads its heartbeat any more, or by `mark`."""
    beats = (
        "for i in 1 2 3 4 5 6; do "
        f"[ -d {_release(prefix, mark)} ] && break 2; sleep {HEARTBEAT / 6:.2f}"
    )
    ready = hostfolder.ready_script(('"$run"', '"$step"'))
    return (
        f"{_paths(prefix)}{ready}"
        f'exec 9<>"$run" 8<>"$step"; flock -w {wait + GRACE} 9 || exit {BUSY}; '
        f"flock -w {wait + CHILDREN_WAIT} 8 || exit {BUSY + 1}; flock -u 8; exec 8<&-; "
        # Nobody is told of a run whose controller is gone by now. No link is written through.
        'echo || exit 1; rm -f "$who.new"; '
        f"(set -C; printf '%s\\n' {shlex.quote(who)} {shlex.quote(mark)} >\"$who.new\") || exit 1; "
        f'mv -f "$who.new" "$who"; '
        f"while echo; do {beats} 9<&-; done; done 2>/dev/null; "
        f"exec 9<&-; rmdir {_release(prefix, mark)} 2>/dev/null"
    )


def release_script(prefix: str, mark: str) -> str:
    """Build what tells the holder with a mark to end, and waits for it a moment."""
    path = _release(prefix, mark)
    return (
        f"mkdir {path} 2>/dev/null; i=0; while [ -d {path} ] && [ $i -lt 100 ]; "
        f"do sleep 0.02; i=$((i+1)); done; rmdir {path} 2>/dev/null; {hostfolder.mend_script()}true"
    )


def give_up_script(prefix: str, mark: str) -> str:
    """Build what lets a holder that begins late find that nobody waits for it."""
    return f"mkdir {_release(prefix, mark)} 2>/dev/null; true"


def _release(prefix: str, mark: str) -> str:
    # A folder: making one never writes through a link.
    return shlex.quote(f"{hostfolder.FOLDER}/{prefix}release.{mark}")
