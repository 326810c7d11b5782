"""The group that every verb joins."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from console.say import show
from console.version import own_version


class Console(click.Group):
    """The verbs. A reader that has enough ends them well: click by itself ends with 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Nothing may be written at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0


@click.group(
    cls=Console,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--version", "is_version", is_flag=True, help="Show the version and exit.")
@click.option("-v", "--verbose", is_flag=True, help="Show what it does, on standard error.")
@click.pass_context
def app(context: click.Context, is_version: bool, verbose: bool) -> None:
    """Three local language models on this machine. Without a command: the terminal app.

    Where there is no terminal: their status.
    """
    if verbose:
        from console.verbose import show_all  # noqa: PLC0415 (nobody else pays for it)

        show_all()
    if is_version:
        show(f"ollama-stack {own_version()}")
    elif context.invoked_subcommand is None:
        is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
        context.invoke(app.commands["app" if is_terminal else "status"])
