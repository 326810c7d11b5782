"""Text for the app's views: history, the memory plan and the start-up checks; made in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from console.checks import startup
from console.checks.finding import Check
from console.looking.history import event_text
from console.looking.host import declared
from console.looking.services import ServiceView
from console.words.trouble import Trouble
from tasks.database.database import rows_of
from tasks.declared.layers import rooted
from tasks.declared.stack import DeclarationError

AT_MOST = 500


def history(host: str, view: ServiceView) -> list[str]:
    """Return what was changed of a service, the newest first."""
    try:
        events = rows_of(rooted(declared().database), "events")
    except DeclarationError as error:
        return error.faults
    own = [e for e in events if (e["host"], e["service"]) == (host, view.name)]
    return [event_text(event) for event in reversed(own[-AT_MOST:])]


def memory_plan() -> list[str]:
    """Return the VRAM plan, or why there is none."""
    from console.looking.vram import vram_plan  # noqa: PLC0415 (nobody else pays for it)
    from tasks.vram.table import lines  # noqa: PLC0415

    try:
        found = vram_plan(None)
    except DeclarationError as error:
        return error.faults
    if isinstance(found, Trouble):
        return [found.cause, f"  remedy: {found.remedy}"]
    refused = [line for failure in found.refusals() for line in failure.lines()]
    return [*lines(found), *refused]


def start_up(names: Iterable[str], checked: Callable[[str], Check]) -> list[str]:
    """Check anew what has to be there."""
    return startup.lines({name: checked(name) for name in names}, everything=True)
