"""The commands of the console. Each looks at this machine anew; none keeps a state of its own."""

from __future__ import annotations

import errno
import io
import math
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from console.host import Trouble, declared
from console.say import (
    FAILED,
    INTERRUPTED,
    INTERRUPTION,
    WRONG_USE,
    Speech,
    end,
    invalid,
    json_option,
    show,
    show_made,
    show_text,
    tell,
    tell_program,
    tell_trouble,
)
from tasks.declared.layers import rooted
from tasks.declared.stack import DeclarationError
from tasks.words.printable import printable

if TYPE_CHECKING:
    from console.checks.finding import Check


def _version() -> str:
    try:
        return version("ollama-stack")
    except PackageNotFoundError:
        import tomllib  # noqa: PLC0415 (only here)

        with rooted("pyproject.toml").open("rb") as file:
            return str(tomllib.load(file)["project"]["version"])


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
        show(f"ollama-stack {_version()}")
    elif context.invoked_subcommand is None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            context.invoke(status)
            return
        context.invoke(open_app)


@app.command("app")
@click.option("--inventory", type=click.Path(path_type=Path), help="Of pyinfra: inventory.py.")
def open_app(inventory: Path | None = None) -> None:
    """Open the terminal app (also without a command)."""
    from console.app.app import run  # noqa: PLC0415 (the verbs do not pay for it)
    from console.fleet import INVENTORY  # noqa: PLC0415

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("the app wants a terminal; ./main.sh status tells the same")
    sys.exit(run((inventory or INVENTORY).absolute()))


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
    from console import fleet  # noqa: PLC0415 (the other commands do not need it)
    from console.status import as_document, as_text, statuses  # noqa: PLC0415

    if interval is not None and (not watch or math.isnan(interval)):
        raise click.UsageError("--interval wants a number of seconds, and --watch")
    if watch:
        from console.watch import watch_status  # noqa: PLC0415 (one look does not pay for it)

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
    from console.doctor import checks  # noqa: PLC0415 (as above)
    from console.text import check_lines  # noqa: PLC0415 (as above)

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


def main() -> NoReturn:
    """Run a command; no traceback reaches a person unless OLLAMA_STACK_DEBUG asks for it."""
    import console.verbs  # noqa: F401, PLC0415 (its commands join these)

    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal that knows no "●" gets a "?".
        sys.stdout.reconfigure(errors="replace")
    how = Speech()
    try:
        result = app(standalone_mode=False, prog_name="main.sh", obj=how)
        sys.exit(result if isinstance(result, int) else 0)
    except (click.exceptions.Abort, KeyboardInterrupt):
        tell_program(INTERRUPTION, how)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        told = io.StringIO()
        error.show(told)
        show_text(told.getvalue(), end="", err=True)
        sys.exit(WRONG_USE)
    except DeclarationError as error:
        show_text(error, err=True)
        tell_program(invalid(error), how)
        sys.exit(WRONG_USE)
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            end_unforeseen(error, how)
        # Nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        show("cause:  no space left where the output goes", "remedy: free some", err=True)
        sys.exit(FAILED)
    except Exception as error:
        end_unforeseen(error, how)


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
