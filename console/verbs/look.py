"""Verbs that look, tell and try, and change no service."""

from __future__ import annotations

import math
import sys

import click

from console.complete import active_services, services
from console.group import app
from console.looking.history import event_text
from console.looking.host import declared
from console.names import active, chosen, look_or_end
from console.say import FAILED, end, json_option, say, show, show_made, tell
from console.words.trouble import Trouble
from tasks.declared.layers import rooted


@app.command()
@click.option("--budget", type=click.FloatRange(0.1, 10_000), help="Plan for so many GB.")
@json_option("For programs; sizes in bytes.")
def plan(budget: float | None, as_json: bool) -> None:
    """Show what the declared models take of the GPU's memory, and what fits there."""
    from console.looking import vram  # noqa: PLC0415 (status does not pay for it)
    from tasks.vram.table import lines  # noqa: PLC0415

    if budget is not None and math.isnan(budget):
        raise click.UsageError("--budget wants a number of GB")
    found = vram.vram_plan(budget)
    if isinstance(found, Trouble):
        end(found)
    if as_json:
        tell(vram.as_json(found))
    else:
        show(*lines(found))
    failures = list(found.refusals())
    for failure in failures:
        show(*failure.lines(), err=True)
    sys.exit(FAILED if failures else 0)


@app.command()
@click.argument("service", required=False, shell_complete=services)
@json_option()
def endpoint(service: str | None, as_json: bool) -> None:
    """Print where services answer, for clients: Ollama's and OpenAI's base URL, and the models."""
    from console.using.endpoints import endpoints, lines  # noqa: PLC0415 (as above)

    stack = declared()
    found = endpoints([chosen(stack, service)] if service else stack.services)
    if as_json:
        tell({"endpoints": found})
    else:
        show(*lines(found))


@app.command()
@click.argument("service", shell_complete=active_services)
@click.argument("prompt", required=False)
@json_option()
def chat(service: str, prompt: str | None, as_json: bool) -> None:
    """Try a service: with a PROMPT (or "-", standard input) one answer, else a conversation."""
    from console.using.chat import ChatFailed, ask, converse, whole  # noqa: PLC0415 (as above)

    stack = declared()
    named = active(stack, service)
    try:
        if prompt is None and sys.stdin.isatty():
            if as_json:
                raise click.UsageError("--json wants a PROMPT")
            converse(named, stack.generate_timeout)
            return
        text = (sys.stdin.read() if prompt in (None, "-") else prompt) or ""
        if not text.strip():
            raise click.UsageError("there is no PROMPT: name one, or give it on standard input")
        if as_json:
            tell(whole(named, text, stack.generate_timeout))
        else:
            ask(named, text, stack.generate_timeout, [])
    except ChatFailed as failed:
        end(failed.trouble)


@app.command()
@click.argument("service", shell_complete=services)
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option(
    "-n",
    "--lines",
    default=100,
    show_default=True,
    type=click.IntRange(min=0),
    help="So many of the last lines.",
)
@json_option("For programs: one JSON document a line.")
def logs(service: str, follow: bool, lines: int, as_json: bool) -> None:
    """Show the log of a service."""
    from console.looking.logs import log_lines, log_of, shown, when_and_what  # noqa: PLC0415 (as above)

    chosen(declared(), service)
    stack, _ = look_or_end()
    found = log_of(stack, chosen(stack, service), follow=follow, lines=lines, timestamps=as_json)
    if isinstance(found, Trouble):
        end(found)
    if as_json:
        for line in log_lines(found):
            tell(when_and_what(line), is_line=True)
        return
    for text in shown(found):
        show_made(text, end="")


@app.command()
@click.argument("service", required=False, shell_complete=services)
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(min=1))
@json_option()
def history(service: str | None, lines: int, as_json: bool) -> None:
    """Show what was changed here, when and why; the newest last."""
    from tasks.database.database import rows_of, unusable  # noqa: PLC0415 (as above)

    stack = declared()
    if service is not None:
        chosen(stack, service)
    path = rooted(stack.database)
    reason = unusable(path)
    if reason:
        end(Trouble(f"{path.name} is unusable ({reason})", "the next converge builds it anew"))
    found = [e for e in rows_of(path, "events") if service in (None, e["service"])][-lines:]
    if as_json:
        tell([{k: e[k] for k in e if k != "id"} for e in found])
        return
    for event in found:
        show(event_text(event))


@app.command()
@json_option()
def sync(as_json: bool) -> None:
    """Write what is there now into the database."""
    from console.changing.log import console_log  # noqa: PLC0415 (status does not pay for it)
    from console.looking.inventory import inventory_now  # noqa: PLC0415 (as above)
    from tasks.database.database import DatabaseError, is_up_to_date, record  # noqa: PLC0415

    stack, snapshot = look_or_end()
    path, found = rooted(stack.database), inventory_now(stack, snapshot)
    is_needed, notes = not is_up_to_date(path, found), []
    try:
        notes = record(path, found) if is_needed else []
    except DatabaseError as error:
        end(Trouble(error.cause, error.remedy))
    for note in notes:
        say(note)
    if is_needed:
        console_log(stack).write("main.sh sync: brought the database up to date")
    if as_json:
        outcome = "done" if is_needed else "no change"
        tell({"database": str(path), "outcome": outcome, "notes": notes})
    else:
        show(f"{stack.database}: {'written' if is_needed else 'no change'}")
