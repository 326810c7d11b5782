"""The verb that opens the terminal app."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from console.group import app


@app.command("app")
@click.option("--inventory", type=click.Path(path_type=Path), help="Of pyinfra: inventory.py.")
def open_app(inventory: Path | None = None) -> None:
    """Open the terminal app (also without a command)."""
    from console.app.app import run  # noqa: PLC0415 (the verbs do not pay for it)
    from console.looking.fleet import INVENTORY  # noqa: PLC0415

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the app wants a terminal; ./main.sh status tells the same")
    sys.exit(run((inventory or INVENTORY).absolute()))
