"""The rows of `status` as a table that fits 80 columns."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from console.looking.services import ServiceView
from console.words.safe import safe
from tasks.words.numbers import bytes_text

MARKS = {"active": ("●", "green"), "inactive": ("○", "dim")}
NOTHING = "-"
BROKEN = ("✗", "red")


# A service under its name in the table; one word for a host that nobody could look at.
Line = tuple[str, ServiceView | str]


def print_lines(console: Console, lines: list[Line]) -> None:
    """Print a line for each service; what does not fit one line goes below the table."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for heading in ("", "service", "state", "model", "Ollama", "port", "size", "loaded"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "size" else "left")
    for name, view in lines:
        if isinstance(view, str):
            table.add_row(safe(*BROKEN), safe(name), safe(view, BROKEN[1]))
            continue
        mark, style = MARKS.get(view.state, BROKEN)
        table.add_row(
            safe(mark, style),
            safe(name),
            safe(view.state, style),
            safe(view.installed_version or f"{view.model} (not there)"),
            safe(view.ollama or NOTHING),
            str(view.port),
            bytes_text(view.size) if view.size else NOTHING,
            loaded_text(view),
        )
    console.print(table)


def loaded_text(view: ServiceView) -> str:
    """Say whether the model is in memory, where, and how large it is there."""
    if view.loaded is None:
        return "no"
    return f"{view.processor} {bytes_text(view.loaded)}"
