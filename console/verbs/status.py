"""The verb that shows what is there now."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import click

from console.group import app
from console.looking.host import declared
from console.say import FAILED, end, json_option, show_made, tell


@app.command()
@json_option("For programs; sizes in bytes.")
@click.option("--inventory", type=click.Path(path_type=Path), help="Of pyinfra: inventory.py.")
@click.option("--limit", "limits", multiple=True, help="Only this host or group; again for more.")
@click.option("--watch", is_flag=True, help="Again and again, until Ctrl-C.")
@click.option("--interval", type=click.FloatRange(0.2, 3600), help="Seconds between two looks.")
def status(
    as_json: bool = False,
    inventory: Path | None = None,
    limits: tuple[str, ...] = (),
    watch: bool = False,
    interval: float | None = None,
) -> None:
    """Show what is there now, on every host: state, model, version, size, memory, drift."""
    from console.looking import fleet  # noqa: PLC0415 (the other commands do not need it)
    from console.looking.status import as_document, as_text, statuses  # noqa: PLC0415

    if interval is not None and (not watch or math.isnan(interval)):
        raise click.UsageError("--interval wants a number of seconds, and --watch")
    if watch:
        from console.looking.watch import watch_status  # noqa: PLC0415 (one look does not pay for it)

        seconds = interval or declared().refresh_seconds
        watch_status(inventory, limits, seconds, as_json=as_json)
    try:
        hosts, is_here = fleet.hosts_now(inventory, limits)
    except fleet.FleetError as error:
        end(error.trouble)
    found = statuses(hosts)
    if as_json:
        tell(as_document(found, is_here=is_here))
    else:
        show_made(as_text(found))
    if not all(status.is_well for status in found):
        sys.exit(FAILED)
