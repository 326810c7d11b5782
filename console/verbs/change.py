"""Verbs that change services: stack.toml is edited, then the same converge as everybody's runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from console.complete import active_services, models, services
from console.group import app
from console.looking.host import declared
from console.names import active, chosen, several
from console.say import json_option, say
from tasks.declared.references import ModelReference
from tasks.declared.stack import Service, Stack
from tasks.records.lockfile import LockFile

F = TypeVar("F", bound=Callable[..., Any])

DRY = click.option("--dry", is_flag=True, help="Show what would be done, change nothing.")
ALL = click.option("--all", "are_all", is_flag=True, help="Every declared service.")


@app.command()
@click.argument("service", nargs=-1, shell_complete=services)
@ALL
@DRY
@json_option()
def activate(service: tuple[str, ...], are_all: bool, dry: bool, as_json: bool) -> None:
    """Declare services active and bring them up, with their models."""
    _set_active("activate", service, are_all, dry, to=True)


@app.command()
@click.argument("service", nargs=-1, shell_complete=active_services)
@ALL
@DRY
@json_option()
def deactivate(service: tuple[str, ...], are_all: bool, dry: bool, as_json: bool) -> None:
    """Declare services inactive and stop them; containers and models are kept."""
    _set_active("deactivate", service, are_all, dry, to=False)


def _set_active(verb: str, names: tuple[str, ...], are_all: bool, dry: bool, *, to: bool) -> None:
    from console.changing.doing import do  # noqa: PLC0415 (status does not pay for it)
    from console.changing.switch import activation, selections, switch  # noqa: PLC0415

    stack = declared()
    found = several(stack, names, are_all=are_all)
    runs, edits = selections(stack, found), activation(found, active=to)
    do(verb, lambda doing: switch(doing, runs, edits), is_dry=dry)


@app.command()
@click.argument("service", nargs=-1, shell_complete=active_services)
@ALL
@DRY
@json_option()
def restart(service: tuple[str, ...], are_all: bool, dry: bool, as_json: bool) -> None:
    """Stop and start services, and prove each by a generation."""
    from console.changing.doing import do  # noqa: PLC0415 (status does not pay for it)
    from console.changing.switch import selections, switch  # noqa: PLC0415

    stack = declared()
    runs = selections(stack, several(stack, service, are_all=are_all))
    for name in service:
        active(stack, name)
    do("restart", lambda doing: switch(doing, runs, {}, ["restart=true"]), is_dry=dry)


@app.command()
@click.argument("service", shell_complete=active_services)
@click.argument("model", shell_complete=models)
@click.option("--use", is_flag=True, help="Make it the main model of the service.")
@DRY
@json_option()
def pull(service: str, model: str, use: bool, dry: bool, as_json: bool) -> None:
    """Declare a further model of a service, pull and prove it; taken back where that fails."""
    from console.changing.doing import do  # noqa: PLC0415 (status does not pay for it)
    from console.changing.switch import addition, switch  # noqa: PLC0415

    stack = declared()
    named = active(stack, service)
    try:
        reference = str(ModelReference.parse(model))
    except ValueError as error:
        raise click.UsageError(f"{model!r}: {error}") from None
    edits = addition(named, reference, use=use)
    do("pull", lambda doing: switch(doing, [named.name], edits, back_to=stack), is_dry=dry)


def _moving(function: F) -> F:
    """Add what an upgrade and a rollback have in common."""
    for option in (
        json_option(),
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
        DRY,
        click.option("--models", is_flag=True, help="Only the models."),
        click.option("--image", is_flag=True, help="Only the image of the server."),
        click.argument("service", required=False, shell_complete=active_services),
    ):
        function = option(function)
    return function


@app.command()
@_moving
@click.option("--to", "tag", help="Declare this tag first: of the image; with --models, a model's.")
def upgrade(service: str | None, tag: str | None, **options: bool) -> None:
    """Move to what the registries offer; what fails is put back by itself."""
    from console.changing.stack_toml import edits_to  # noqa: PLC0415 (status does not pay for it)

    stack = declared()
    parts, selected = parts_of(options), chosen(stack, service) if service else None
    try:
        edits = edits_to(stack, selected, parts, tag) if tag is not None else {}
    except ValueError as error:
        raise click.UsageError(f"--to {tag!r}: {error}") from None
    if tag is not None and selected is None:
        for other in stack.services:
            if other.image != stack.image:
                say(f"{other.name} keeps its own image {other.image}; name it to move it")
    _move("upgrade", stack, selected, parts, lambda lock: edits, options)


@app.command()
@_moving
def rollback(service: str | None, **options: bool) -> None:
    """Go back to the image and the models proven before the present ones; needs no network."""
    from console.changing.stack_toml import Edits, edits_back  # noqa: PLC0415 (status does not pay for it)

    stack = declared()
    parts, selected = parts_of(options), chosen(stack, service) if service else None
    found = [selected] if selected else stack.services

    def edits(lock: LockFile | None) -> Edits:
        return edits_back(stack, found, lock, parts) if lock is not None else {}

    _move("rollback", stack, selected, parts, edits, options)


def _move(
    verb: str,
    stack: Stack,
    service: Service | None,
    parts: str,
    edits: Callable[[LockFile | None], Any],
    options: dict[str, bool],
) -> None:
    from console.changing.doing import do  # noqa: PLC0415 (status does not pay for it)
    from console.changing.move import move  # noqa: PLC0415

    yes = options["yes"]
    do(
        verb,
        lambda doing: move(doing, stack, service, parts, edits, say_yes=yes),
        is_dry=options["dry"],
    )


def parts_of(options: dict[str, bool]) -> str:
    """Return "image", "models" or "" for all. Raises click.UsageError."""
    if options["image"] and options["models"]:
        raise click.UsageError("--image and --models together are all: leave both out")
    return next((part for part in ("image", "models") if options[part]), "")
