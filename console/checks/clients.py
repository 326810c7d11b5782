"""The files of this user's clients: whether they are what the services are now."""

from __future__ import annotations

from collections.abc import Iterator

from console.checks.finding import CONVERGE, Check, failed, notable, well
from console.checks.looked import Looked
from console.looking.clients import LOOK_REMEDY, Here, look_at_clients
from tasks.clients.look import LookFailed
from tasks.clients.plan import plan_user

WHAT = "clients"


def client_checks(looked: Looked) -> Iterator[Check]:
    """Compare the files with what a converge would write."""
    try:
        machine = look_at_clients(looked.stack, looked.snapshot)
    except LookFailed as error:
        yield Check(WHAT, False, f"nobody can tell: {error}", LOOK_REMEDY)
        return
    yield from judged(machine)


def judged(machine: Here) -> Iterator[Check]:
    """Judge the files of its clients."""
    outcome = plan_user(machine.user, machine.documents(machine.clients), machine.wiring.unknown)
    for failure in outcome.failures:
        yield failed(WHAT, failure)
    for change in outcome.changes:
        doing = "is not as it should be" if change.record is not None else "holds what was ours"
        yield Check(
            WHAT, False, f"{change.client}: {change.shown} {doing} ({change.why})", CONVERGE
        )
    for note in outcome.notes:
        yield notable(WHAT, note)
    if outcome.changes or outcome.failures:
        return
    connected = machine.connected()
    if connected:
        count = sum(len(paths) for paths in connected.values())
        files = "1 file is" if count == 1 else f"{count} files are"
        yield well(WHAT, f"{', '.join(sorted(connected))}: {files} as they should be")
    else:
        yield well(WHAT, "none is connected; ./main.sh connect lists those that are here")
