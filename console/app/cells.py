"""The rows of the main view: from what was seen to cells. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.text import Text

from console.app.gpu import GpuReading, GpuReadings
from console.services import ServiceView
from console.table import BROKEN, MARKS, NOTHING, loaded_text
from tasks.text import bytes_text

COLUMNS = ("", "service", "state", "model", "port", "loaded", "context", "changed", "")
BAR = 20


@dataclass(frozen=True)
class Row:
    """One service as the table shows it; `key` is its name."""

    key: str
    cells: tuple[Text | str, ...]


def row_of(view: ServiceView, changed: str, now: datetime) -> Row:
    """Return the cells of a service; colour only repeats what mark and word say."""
    mark, style = MARKS.get(view.state, BROKEN)
    return Row(
        view.name,
        (
            Text(mark, style),
            Text(view.name, "bold"),
            Text(view.state, style),
            view.installed_version or f"{view.model} (not there)",
            str(view.port),
            loaded_text(view),
            str(view.context),
            ago(changed, now),
            Text(remarks(view), "yellow"),
        ),
    )


def rows_of(views: tuple[ServiceView, ...], changed: Mapping[str, str]) -> list[Row]:
    """Return the rows of all services."""
    now = datetime.now(UTC)
    return [row_of(view, changed.get(view.name, ""), now) for view in views]


def remarks(view: ServiceView) -> str:
    """Name what a person should look at: drift, a GPU that was lost."""
    found = []
    if view.drift:
        found.append("drift")
    if view.left_gpu:
        found.append("left the GPU")
    return ", ".join(found)


def ago(stamp: str, now: datetime) -> str:
    """Say how long ago an ISO 8601 stamp was, in one unit."""
    try:
        seconds = (now - datetime.fromisoformat(stamp)).total_seconds()
    except (ValueError, TypeError):
        return NOTHING
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return "just now"


def details(view: ServiceView) -> list[str]:
    """Return all that is known of a service, declared against seen, a line each."""
    lines = [
        f"role          {view.role or NOTHING}",
        f"address       {view.url}",
        f"container     {view.container}",
        f"declared      {'active' if view.active else 'inactive'}, model {view.model},"
        f" context {view.context}",
        f"state         {view.state}",
        f"Ollama        {view.ollama or NOTHING}",
        f"model         {view.installed_version or 'not there'}",
        f"size          {bytes_text(view.size) if view.size else NOTHING}",
        f"in memory     {loaded_text(view)}",
    ]
    lines += [f"drift         {c['field']}: {c['old']} → {c['new']}" for c in view.drift]
    lines += [f"GPU           {view.left_gpu}"] if view.left_gpu else []
    lines += [f"not declared  {name}" for name in view.undeclared]
    lines += [f"kept          {k['name']}@{k['digest'][7:19]}" for k in view.previous]
    return lines


def gpu_line(readings: GpuReadings) -> str:
    """Return the header's line of all cards."""
    if not readings.cards:
        return readings.reason
    return "   ".join(_card(card) for card in readings.cards)


def _card(card: GpuReading) -> str:
    parts = [card.name, f"driver {card.driver}"]
    if card.memory_total:
        used = card.memory_used or 0
        filled = round(BAR * used / card.memory_total)
        bar = "█" * filled + "░" * (BAR - filled)
        parts.append(f"{bar} {bytes_text(used)} of {bytes_text(card.memory_total)}")
    parts += [f"{card.temperature} °C"] if card.temperature is not None else []
    parts += [f"{card.utilisation} %"] if card.utilisation is not None else []
    return "  ".join(parts)
