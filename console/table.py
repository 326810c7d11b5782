"""The rows of `status` as a table that fits 80 columns."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from console.services import ServiceView
from tasks.text import bytes_text

MARKS = {"active": ("●", "green"), "inactive": ("○", "dim")}
NOTHING = "-"
BROKEN = ("✗", "red")


def print_views(console: Console, views: list[ServiceView]) -> None:
    """Print a line for each service; what does not fit one line goes below the table."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for heading in ("", "service", "state", "model", "Ollama", "port", "size", "loaded"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "size" else "left")
    for view in views:
        mark, style = MARKS.get(view.state, BROKEN)
        table.add_row(
            f"[{style}]{mark}[/]",
            view.name,
            f"[{style}]{view.state}[/]",
            view.installed_version or f"{view.model} (not there)",
            view.ollama or NOTHING,
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
