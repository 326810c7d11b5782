"""The status, again and again: in place on a terminal, one after the other elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from console.looking.fleet import FleetError, hosts_now
from console.looking.status import as_document, as_text, statuses
from console.say import in_trouble, invalid, show_made, tell, trouble_lines
from tasks.declared.stack import DeclarationError
from tasks.words.printable import printable, printable_lines


def watch_status(
    inventory: Path | None, limits: tuple[str, ...], seconds: float, *, as_json: bool
) -> None:
    """Show the status until Ctrl-C; what is wrong meanwhile is shown as well, and may be mended."""

    def value() -> dict[str, Any]:
        try:
            hosts, is_here = hosts_now(inventory, limits)
            return as_document(statuses(hosts), is_here=is_here)
        except FleetError as error:
            return in_trouble(error.trouble)
        except DeclarationError as error:
            return in_trouble(invalid(error))

    def text() -> str:
        try:
            return as_text(statuses(hosts_now(inventory, limits)[0]))
        except FleetError as error:
            return "\n".join(map(printable, trouble_lines(error.trouble)))
        except DeclarationError as error:
            return printable_lines(error)

    if as_json:
        watch_values(value, seconds)
    else:
        watch_text(text, seconds)


def watch_text(look: Callable[[], str], seconds: float) -> None:
    """Show a text, printable already, until Ctrl-C; in place where there is a terminal."""
    if not sys.stdout.isatty():
        for found in looks(look, seconds):
            show_made(found)
            sys.stdout.flush()
    console, shown = Console(highlight=False), ("", get_terminal_size())
    hint = Text(f"\nevery {seconds:g} s; Ctrl-C ends", style="dim")
    # Live draws over what it drew, and gives the cursor back however it ends.
    with Live(console=console, auto_refresh=False) as live:
        for found in looks(look, seconds):
            # What stays the same is not drawn again: nothing flickers.
            if (found, get_terminal_size()) != shown:
                shown = found, get_terminal_size()
                live.update(Text.from_ansi(found) + hint, refresh=True)


def watch_values(look: Callable[[], Any], seconds: float) -> None:
    """Print a value as one line of JSON until Ctrl-C, or until nobody reads it any more."""
    for found in looks(look, seconds):
        tell(found, is_line=True)


def looks(look: Callable[[], Any], seconds: float) -> Iterator[Any]:
    """Look for ever, and wait so many seconds in between."""
    while True:
        yield look()
        time.sleep(seconds)
