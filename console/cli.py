"""The commands of the console. Each looks at this machine anew; none keeps a state of its own."""

from __future__ import annotations

import io
import json
import math
import os
import sys
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from console.host import Trouble, declared, snapshot_of, this_machine
from tasks.layers import rooted
from tasks.lockfile import LockFile
from tasks.ollama.observed import Snapshot
from tasks.stack import DeclarationError, Service, Stack

if TYPE_CHECKING:
    from console.doctor import Check

FAILED, WRONG_USE, INTERRUPTED = 1, 2, 130
WATCH_SECONDS = 2.0


def _version() -> str:
    try:
        return version("ollama-stack")
    except PackageNotFoundError:
        import tomllib  # noqa: PLC0415 (only here)

        with rooted("pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", "is_version", is_flag=True, help="Show the version and exit.")
@click.option("-v", "--verbose", is_flag=True, help="Show what it does, on standard error.")
@click.pass_context
def app(context: click.Context, is_version: bool, verbose: bool) -> None:
    """Three local language models on this machine. Without a command: their status."""
    if verbose:
        from console.verbose import show  # noqa: PLC0415 (nobody else pays for it)

        show()
    if is_version:
        click.echo(f"ollama-stack {_version()}")
    elif context.invoked_subcommand is None:
        context.invoke(status)


def end(trouble: Trouble) -> NoReturn:
    """End with a cause and its remedy."""
    click.echo(f"cause:  {trouble.cause}\nremedy: {trouble.remedy}", err=True)
    sys.exit(FAILED)


def look_or_end() -> tuple[Stack, Snapshot]:
    """Return the declaration and what is there; end where the engine does not answer."""
    stack = declared()
    snapshot, trouble = snapshot_of(stack)
    if trouble is not None:
        end(trouble)
    return stack, snapshot


@app.command()
@click.option("--json", "as_json", is_flag=True, help="For programs; sizes in bytes.")
@click.option("--inventory", type=click.Path(path_type=Path), help="Of pyinfra: inventory.py.")
@click.option("--limit", "limits", multiple=True, help="Only this host or group; again for more.")
@click.option("--watch", is_flag=True, help="Again every two seconds, until Ctrl-C.")
def status(
    as_json: bool = False,
    inventory: Path | None = None,
    limits: tuple[str, ...] = (),
    watch: bool = False,
) -> None:
    """Show what is there now, on every host: state, model, version, size, memory, drift."""
    while watch:
        click.clear()
        with suppress(SystemExit):
            show_status(as_json, inventory, limits)
        time.sleep(WATCH_SECONDS)
    show_status(as_json, inventory, limits)


def show_status(as_json: bool, inventory: Path | None, limits: tuple[str, ...]) -> None:
    """Show the status once; end with 1 where not everything is well."""
    from console import fleet  # noqa: PLC0415 (the other commands do not need it)
    from console.status import as_value, print_status, statuses  # noqa: PLC0415

    try:
        path = (inventory or fleet.INVENTORY).absolute()
        is_here = fleet.is_this_machine(path, limits)
        hosts = [this_machine()] if is_here else fleet.look_at(path, limits)
    except fleet.FleetError as error:
        end(error.trouble)
    if is_here and hosts[0].trouble is not None:
        end(hosts[0].trouble)
    found = statuses(hosts)
    if as_json:
        values = [as_value(status) for status in found]
        click.echo(json.dumps(values[0] if is_here else {"hosts": values}, indent=2))
    else:
        print_status(found)
    if not all(status.is_well for status in found):
        sys.exit(FAILED)


@app.command()
@click.option("--budget", type=click.FloatRange(0.1, 10_000), help="Plan for so many GB.")
@click.option("--json", "as_json", is_flag=True, help="For programs; sizes in bytes.")
def plan(budget: float | None, as_json: bool) -> None:
    """Show what the declared models take of the GPU's memory, and what fits there."""
    from console import vram  # noqa: PLC0415 (status does not pay for it)
    from tasks.vram.table import lines  # noqa: PLC0415

    if budget is not None and math.isnan(budget):
        raise click.UsageError("--budget wants a number of GB")
    found = vram.vram_plan(budget)
    if isinstance(found, Trouble):
        end(found)
    if as_json:
        click.echo(json.dumps(vram.as_json(found), indent=2))
    else:
        click.echo("\n".join(lines(found)))
    failures = list(found.refusals())
    for failure in failures:
        click.echo("\n".join(failure.lines()), err=True)
    sys.exit(FAILED if failures else 0)


@app.command()
def sync() -> None:
    """Write what is there now into the database."""
    from console.log import console_log  # noqa: PLC0415 (status does not pay for it)
    from console.sync import inventory_now  # noqa: PLC0415 (as above)
    from tasks.inventory.database import DatabaseError, is_up_to_date, record  # noqa: PLC0415

    stack, snapshot = look_or_end()
    path, found = rooted(stack.database), inventory_now(stack, snapshot)
    if is_up_to_date(path, found):
        click.echo(f"{stack.database}: no change")
        return
    try:
        for note in record(path, found):
            click.echo(note)
    except DatabaseError as error:
        cause, _, remedy = str(error).partition("; ")
        end(Trouble(cause, remedy))
    console_log(stack).write("main.sh sync: brought the database up to date")
    click.echo(f"{stack.database}: written")


@app.command()
@click.argument("service")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes.")
@click.option("-n", "--lines", default=100, show_default=True, help="So many of the last lines.")
def logs(service: str, follow: bool, lines: int) -> None:
    """Show the log of a service."""
    import docker  # noqa: PLC0415 (a quarter of a second)

    stack, _ = look_or_end()
    named = named_service(stack, service)
    name = stack.container_name(named) if named else ""
    client = docker.DockerClient(base_url=f"unix://{stack.docker_socket}")
    try:
        container = client.containers.get(name)
    except docker.errors.NotFound:
        end(Trouble(f"there is no container {name}", "./main.sh setup creates it"))
    for chunk in container.logs(stream=True, follow=follow, tail=lines):
        click.echo(chunk, nl=False)


def _moving(function: Any) -> Any:
    """Add what an upgrade and a rollback have in common."""
    for option in (
        click.option("-y", "--yes", is_flag=True, help="Do not ask."),
        click.option("--dry", is_flag=True, help="Show what would be done, change nothing."),
        click.option("--models", is_flag=True, help="Only the models."),
        click.option("--image", is_flag=True, help="Only the image of the server."),
        click.argument("service", required=False),
    ):
        function = option(function)
    return function


@app.command()
@_moving
@click.option("--to", "tag", help="Declare this tag first: of the image; with --models, a model's.")
def upgrade(service: str | None, tag: str | None, **options: bool) -> None:
    """Move to what the registries offer; what fails is put back by itself."""
    from console.change import edits_to  # noqa: PLC0415 (status does not pay for it)
    from console.move import move  # noqa: PLC0415

    stack = declared()
    parts, selected = parts_of(options), named_service(stack, service)
    try:
        edits = edits_to(stack, selected, parts, tag) if tag is not None else {}
    except ValueError as error:
        raise click.UsageError(f"--to {tag!r}: {error}") from None
    if tag is not None and selected is None:
        for other in stack.services:
            if other.image != stack.image:
                click.echo(f"{other.name} keeps its own image {other.image}; name it to move it")
    sys.exit(move("upgrade", stack, selected, parts, lambda lock: edits, options))


@app.command()
@_moving
def rollback(service: str | None, **options: bool) -> None:
    """Go back to the image and the models proven before the present ones; needs no network."""
    from console.change import Edits, edits_back  # noqa: PLC0415 (status does not pay for it)
    from console.move import move  # noqa: PLC0415

    stack = declared()
    parts, selected = parts_of(options), named_service(stack, service)
    services = [selected] if selected else stack.services

    def edits(lock: LockFile | None) -> Edits:
        return edits_back(stack, services, lock, parts) if lock is not None else {}

    sys.exit(move("rollback", stack, selected, parts, edits, options))


def parts_of(options: dict[str, bool]) -> str:
    """Return "image", "models" or "" for all. Raises click.UsageError."""
    if options["image"] and options["models"]:
        raise click.UsageError("--image and --models together are all: leave both out")
    return next((part for part in ("image", "models") if options[part]), "")


def named_service(stack: Stack, name: str | None) -> Service | None:
    """Return the declared service of this name. Raises click.UsageError."""
    known = {s.name: s for s in stack.services}
    if name is not None and name not in known:
        raise click.UsageError(f"there is no service {name!r}; declared: {', '.join(known)}")
    return known[name] if name is not None else None


@app.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
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
    from console.doctor import checks  # noqa: PLC0415 (as above)
    from console.text import check_lines  # noqa: PLC0415 (as above)

    found: list[Check] = []
    with bundling(bundle, found, is_json=as_json):
        for check in checks(declared()):
            found.append(check)
            if not as_json:
                first, *remedy = check_lines(check)
                click.echo("\n".join([coloured(first), *remedy]))
    if as_json:
        click.echo(json.dumps([check.as_json() for check in found], indent=2))
    if not all(check.is_well for check in found):
        sys.exit(FAILED)


def coloured(line: str) -> str:
    """Colour the mark that a finding begins with."""
    colour = {"!": "yellow", "✓": "green"}.get(line[0], "red")
    return click.style(line[0], colour) + line[1:]


def main() -> NoReturn:
    """Run a command; no traceback reaches a person unless OLLAMA_STACK_DEBUG asks for it."""
    import console.verbs  # noqa: F401, PLC0415 (its commands join these)

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows no "●" gets a "?".
        sys.stdout.reconfigure(errors="replace")
    try:
        result = app(standalone_mode=False, prog_name="main.sh")
        sys.exit(result if isinstance(result, int) else 0)
    except click.exceptions.Abort:
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(WRONG_USE)
    except DeclarationError as error:
        click.echo(str(error), err=True)
        sys.exit(WRONG_USE)
    except BrokenPipeError:
        # Whoever read us has enough; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:
        if os.environ.get("OLLAMA_STACK_DEBUG"):
            raise
        end(
            Trouble(
                f"{type(error).__name__}: {error}",
                "a fault of ollama-stack: OLLAMA_STACK_DEBUG=1 shows where; please report it",
            )
        )
