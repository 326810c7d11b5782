"""`python -m lab …`: the lab's commands."""

from __future__ import annotations

import sys

import click

from lab.errors import LabError


@click.group()
def commands() -> None:
    """A real stack without internet or GPU: for the demo and for tests."""


@commands.command("up")
@click.option("--engine29", is_flag=True, help="A second, 29-era Docker Engine as well.")
def up_command(engine29: bool) -> None:
    """Bring the lab up; what is there already stays as it is."""
    from lab.up import up

    up(with_engine29=engine29)


def main() -> None:
    """Run a command; a failure is one line with its remedy, and exit status 1."""
    try:
        commands(prog_name="lab")
    except LabError as error:
        sys.stderr.write(f"lab: {error.cause}\n  remedy: {error.remedy}\n")
        sys.exit(1)
