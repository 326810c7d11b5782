"""The verb that checks everything."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from console.group import app
from console.looking.host import declared
from console.say import FAILED, json_option, show_made, tell
from tasks.words.printable import printable

if TYPE_CHECKING:
    from console.checks.finding import Check


@app.command()
@json_option()
@click.option(
    "--bundle",
    is_flag=False,
    flag_value="",
    metavar="[FILE]",
    help="Write all that helps to find a fault, without secrets, into one .tar.gz.",
)
def doctor(as_json: bool, bundle: str | None) -> None:
    """Check everything, with a real generation for each service."""
    from console.bundle.write import bundling  # noqa: PLC0415 (status does not pay for it)
    from console.checks.doctor import checks  # noqa: PLC0415 (as above)
    from console.checks.lines import check_lines  # noqa: PLC0415 (as above)

    found: list[Check] = []
    with bundling(bundle, found, is_json=as_json):
        for check in checks(declared()):
            found.append(check)
            if not as_json:
                first, *remedy = map(printable, check_lines(check))
                show_made("\n".join([coloured(first), *remedy]))
    if as_json:
        tell([check.as_json() for check in found])
    if not all(check.is_well for check in found):
        sys.exit(FAILED)


def coloured(line: str) -> str:
    """Colour the mark that a finding begins with."""
    colour = {"!": "yellow", "✓": "green"}.get(line[0], "red")
    return click.style(line[0], colour) + line[1:]
