"""Verbs that change or try one service, and what the database holds. Registered on the console."""

from __future__ import annotations

import json
import sys
from typing import Any, cast

import click

from console.cli import app, end, named_service
from console.host import Trouble, declared
from tasks.layers import rooted
from tasks.references import ModelReference
from tasks.stack import Service, Stack

DRY = click.option("--dry", is_flag=True, help="Show what would be done, change nothing.")


def chosen(stack: Stack, name: str) -> Service:
    """Return the declared service of this name. Raises click.UsageError."""
    return cast(Service, named_service(stack, name))


def active(stack: Stack, name: str) -> Service:
    """Return the declared service of this name, if it is active. Raises click.UsageError."""
    service = chosen(stack, name)
    if not service.active:
        raise click.UsageError(f"{name} is declared inactive: ./main.sh activate {name}")
    return service


@app.command()
@click.argument("service")
@DRY
def activate(service: str, dry: bool) -> None:
    """Declare a service active and bring it up, with its models."""
    from console.switch import activation, switch  # noqa: PLC0415 (status does not pay for it)

    named = chosen(declared(), service)
    sys.exit(switch(named, activation(named, active=True), is_dry=dry))


@app.command()
@click.argument("service")
@DRY
def deactivate(service: str, dry: bool) -> None:
    """Declare a service inactive and stop it; container and models are kept."""
    from console.switch import activation, switch  # noqa: PLC0415 (status does not pay for it)

    named = chosen(declared(), service)
    sys.exit(switch(named, activation(named, active=False), is_dry=dry))


@app.command()
@click.argument("service")
@DRY
def restart(service: str, dry: bool) -> None:
    """Stop and start a service, and prove it by a generation."""
    from console.switch import switch  # noqa: PLC0415 (status does not pay for it)

    named = active(declared(), service)
    sys.exit(switch(named, {}, is_dry=dry, options=("restart=true",)))


@app.command()
@click.argument("service")
@click.argument("model")
@click.option("--use", is_flag=True, help="Make it the main model of the service.")
@DRY
def pull(service: str, model: str, use: bool, dry: bool) -> None:
    """Declare a further model of a service, pull it and prove it by a generation."""
    from console.switch import addition, switch  # noqa: PLC0415 (status does not pay for it)

    named = active(declared(), service)
    try:
        reference = str(ModelReference.parse(model))
    except ValueError as error:
        raise click.UsageError(f"{model!r}: {error}") from None
    sys.exit(switch(named, addition(named, reference, use=use), is_dry=dry))


@app.command()
@click.argument("service")
@click.argument("prompt", required=False)
def chat(service: str, prompt: str | None) -> None:
    """Try a service: with a PROMPT (or "-", standard input) one answer, else a conversation."""
    from console.chat import ChatFailed, ask, converse  # noqa: PLC0415 (status does not pay for it)

    stack = declared()
    named = active(stack, service)
    try:
        if prompt is None and sys.stdin.isatty():
            converse(named, stack.generate_timeout)
        else:
            text = sys.stdin.read() if prompt in (None, "-") else prompt
            ask(named, text or "", stack.generate_timeout, [])
    except ChatFailed as failed:
        end(failed.trouble)


@app.command()
@click.argument("service", required=False)
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(min=1))
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def history(service: str | None, lines: int, as_json: bool) -> None:
    """Show what was changed here, when and why; the newest last."""
    from tasks.inventory.database import rows_of, unusable  # noqa: PLC0415 (as above)

    stack = declared()
    named_service(stack, service)
    path = rooted(stack.database)
    reason = unusable(path)
    if reason:
        end(Trouble(f"{path.name} is unusable ({reason})", "the next converge builds it anew"))
    found = [e for e in rows_of(path, "events") if service in (None, e["service"])][-lines:]
    if as_json:
        click.echo(json.dumps([{k: e[k] for k in e if k != "id"} for e in found], indent=2))
        return
    for event in found:
        click.echo(event_text(event))


def event_text(event: dict[str, Any]) -> str:
    """Return one change in a line."""
    why = f" ({event['why']})" if event["why"] else ""
    who = f"{event['host']}/{event['service']}" if event["service"] else event["host"]
    return (
        f"{event['at']}  {who.removeprefix('@local/')}: {event['action']} {event['subject']}{why}"
    )


@app.group()
def db() -> None:
    """The database of what is there."""


@db.command("path")
def db_path() -> None:
    """Print where the database is."""
    click.echo(str(rooted(declared().database)))


@app.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the shell's completion: eval "$(./main.sh completion bash)"."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415 (as above)

    maker = get_completion_class(shell)
    if maker is not None:
        click.echo(maker(app, {}, "main.sh", "_MAIN_SH_COMPLETE").source())
