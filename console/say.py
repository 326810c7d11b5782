"""How a verb ends: for people with cause and remedy, for programs with one JSON document."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

import click

from console.words.trouble import Trouble
from tasks.declared.stack import DeclarationError
from tasks.words.printable import WHOLE, json_text, printable, printable_lines

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130

INTERRUPTION = Trouble("interrupted", "run it again: it finishes or undoes what was begun")

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Speech:
    """How this process speaks: with `as_json` stdout is for the JSON alone.

    `has_told`: the document is out, so that whatever fails afterwards adds none.
    """

    as_json: bool = False
    has_told: bool = False


def speech() -> Speech:
    """Return how the running command speaks; for people where there is none."""
    context = click.get_current_context(silent=True)
    return context.ensure_object(Speech) if context is not None else Speech()


def json_option(help_text: str = "For programs; see docs/json.md.") -> Callable[[F], F]:
    """Add --json to a command, as its parameter `as_json`."""

    def remember(context: click.Context, _: click.Parameter, value: bool) -> bool:
        context.ensure_object(Speech).as_json |= value
        return value

    return click.option("--json", "as_json", is_flag=True, callback=remember, help=help_text)


def tell(value: Any, *, is_line: bool = False) -> None:
    """Print a JSON document: indented, or as one line of many."""
    click.echo(json_text(value, indent=None if is_line else 2))
    sys.stdout.flush()
    speech().has_told = True


def show(*lines: object, err: bool = False) -> None:
    """Print lines for people: each stays one, and whoever wrote its words, no terminal obeys it."""
    click.echo("\n".join(printable(line, WHOLE) for line in lines), err=err)


def show_text(text: object, *, end: str = "\n", err: bool = False) -> None:
    """Print a text that has lines of its own."""
    click.echo(printable_lines(text, WHOLE) + end, nl=False, err=err)


def show_made(text: str, *, end: str = "\n", err: bool = False) -> None:
    """Print what was made printable before: coloured, in a table or in pieces."""
    click.echo(text + end, nl=False, err=err)


def say(text: str) -> None:
    """Print a line for people; stdout is not for them where a program reads it."""
    show(text, err=speech().as_json)


def in_trouble(trouble: Trouble) -> dict[str, Any]:
    """Return a trouble for programs."""
    return {"trouble": {"cause": trouble.cause, "remedy": trouble.remedy}}


def invalid(error: DeclarationError) -> Trouble:
    """Return an invalid declaration as a trouble; its cause names every fault."""
    return Trouble(str(error), "mend the settings that it names")


def trouble_lines(trouble: Trouble) -> list[str]:
    """Return a cause and its remedy for people."""
    return [f"cause:  {trouble.cause}", f"remedy: {trouble.remedy}"]


def tell_trouble(trouble: Trouble, how: Speech) -> None:
    """Print a cause and its remedy; with --json also as the one document, if none is out."""
    show(*trouble_lines(trouble), err=True)
    tell_program(trouble, how)


def tell_program(trouble: Trouble, how: Speech) -> None:
    """Print a trouble as the one document, where a program asked and none is out."""
    if how.as_json and not how.has_told:
        click.echo(json_text(in_trouble(trouble), indent=2))
        how.has_told = True


def end(trouble: Trouble) -> NoReturn:
    """End with a cause and its remedy."""
    tell_trouble(trouble, speech())
    sys.exit(FAILED)


def end_unforeseen(error: Exception, how: Speech) -> NoReturn:
    """End with what nobody foresaw, in words."""
    if os.environ.get("OLLAMA_STACK_DEBUG"):
        raise error
    tell_trouble(
        Trouble(
            f"{type(error).__name__}: {error}",
            "a fault of ollama-stack: OLLAMA_STACK_DEBUG=1 shows where; please report it",
        ),
        how,
    )
    sys.exit(FAILED)
