"""What the app shows, from what was seen to cells and lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.cells import chop_cells
from rich.text import Text

from console.looking.gpu import GpuReading, GpuReadings
from console.looking.services import UNKNOWN, WELL, ServiceView
from console.looking.table import BROKEN, MARKS, NOTHING, loaded_text
from console.words.safe import safe
from tasks.database.rows import row_name
from tasks.declared.addresses import openai_url
from tasks.words.digests import short
from tasks.words.numbers import bytes_text
from tasks.words.printable import printable
from tasks.words.steps import LOCAL

# The bar of the card's memory, in cells: where there is room, and where there is little.
BAR, SHORT_BAR = 20, 12
GAP = 2
CUT = "…"
# The columns in their order, and the order in which they leave a narrow terminal.
HEADINGS = (
    "",
    "service",
    "role",
    "state",
    "model",
    "version",
    "Ollama",
    "container",
    "port",
    "loaded",
    "context",
    "changed",
    "look at",
)
LEAVING = ("role", "Ollama", "container", "context", "version", "changed", "port", "loaded")
# What is cut where the columns that never leave are too wide; the pane below tells all of it.
CUTTING = ("model", "look at", "service")
LEAST = 8


@dataclass(frozen=True)
class Shown:
    """One service on one host: what was seen, when it was changed (ISO 8601), what is offered."""

    host: str
    view: ServiceView
    changed: str = ""
    upgrades: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its name among all hosts."""
        return row_name(self.host, self.view.name)


def cells_of(shown: Shown, now: datetime) -> dict[str, Text]:
    """Return the cells of a service by heading; colour only repeats what mark and word say."""
    view = shown.view
    mark, style = MARKS.get(view.state, BROKEN)
    model, _, digest = (view.installed_version or view.model).partition("@")
    is_known = view.state != UNKNOWN
    return {
        "": safe(mark, style),
        "service": safe(shown.key, "bold"),
        "role": safe(view.role),
        "state": safe(view.state, style),
        "model": safe(model),
        "version": safe(digest or ("not there" if is_known else NOTHING)),
        "Ollama": safe(view.ollama or NOTHING),
        "container": safe(view.container),
        "port": safe(str(view.port)),
        "loaded": safe(loaded_text(view) if is_known else NOTHING),
        "context": safe(str(view.context)),
        "changed": safe(ago(shown.changed, now)),
        "look at": safe(remarks(shown), "yellow"),
    }


def fitting(rows: Sequence[dict[str, Text]], width: int) -> tuple[str, ...]:
    """Return the headings that fit a width in cells: the least needed leave first."""
    kept = list(HEADINGS)
    for leaving in LEAVING:
        if sum(_width(heading, rows) + GAP for heading in kept) <= width:
            break
        kept.remove(leaving)
    return tuple(kept)


def cut(
    rows: Sequence[dict[str, Text]], headings: Sequence[str], width: int
) -> list[dict[str, Text]]:
    """Return rows of which the longest cells are cut until the headings fit a width in cells."""
    widths = {heading: _width(heading, rows) for heading in headings}
    while sum(widths.values()) + GAP * len(headings) > width:
        widest = max(CUTTING, key=lambda heading: widths.get(heading, 0))
        if widths.get(widest, 0) <= LEAST:
            break
        widths[widest] -= 1
    return [
        {h: _cut_to(cell, widths[h]) if h in CUTTING else cell for h, cell in row.items()}
        for row in rows
    ]


def _cut_to(cell: Text, width: int) -> Text:
    """Cut the middle out: a name begins with who made it and ends with its tag."""
    if cell.cell_len <= width:
        return cell
    end = (width - 1) // 2
    head = chop_cells(cell.plain, width - 1 - end)[0]
    tail = chop_cells(cell.plain[::-1], end)[0][::-1]
    return Text(f"{head}{CUT}{tail}", cell.style)


def _width(heading: str, rows: Sequence[dict[str, Text]]) -> int:
    return max([len(heading), *(row[heading].cell_len for row in rows)])


def remarks(shown: Shown) -> str:
    """Name what a person should look at: drift, a GPU that was lost, an upgrade."""
    found = ["drift"] if shown.view.drift else []
    found += ["left the GPU"] if shown.view.left_gpu else []
    found += ["upgrade available"] if shown.upgrades else []
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


def about(shown: Shown, now: datetime | None = None) -> list[str]:
    """Return what the pane below the table says of a service, a line each."""
    view = shown.view
    first = f"{shown.key}: {view.role or 'no role is declared'}"
    if view.state == UNKNOWN:
        return [first, f"declared: {view.model} at {view.url}; nobody can tell what is there now"]
    size = f", {bytes_text(view.size)} on disk" if view.size else ""
    lines = [
        first,
        f"{view.installed_version or f'{view.model} is not there'}{size}",
        f"{view.url}   container {view.container}   Ollama {view.ollama or NOTHING}",
        f"context {view.context}   in memory: {loaded_text(view)}"
        f"   changed {ago(shown.changed, now or datetime.now(UTC))}",
    ]
    further = [model for model in view.models if model != view.model]
    lines += [f"further models: {', '.join(further)}"] if further else []
    lines += [] if view.state in WELL else ["not as declared: c brings it there"]
    lines += [f"drift: {c['field']} {c['old']} → {c['new']}" for c in view.drift]
    lines += [view.left_gpu] if view.left_gpu else []
    lines += [f"upgrade available: {what}" for what in shown.upgrades]
    lines += [f"kept for a rollback: {k['name']}@{short(k['digest'])}" for k in view.previous]
    return lines + [f"not declared, left alone: {name}" for name in view.undeclared]


def client_settings(view: ServiceView) -> str:
    """Return what a client has to be told, as environment variables that most of them read."""
    return (
        f"OPENAI_BASE_URL={openai_url(view.url)}\nOPENAI_API_KEY=ollama\n"
        f"OPENAI_MODEL={view.model}\nOLLAMA_HOST={view.url}\n"
    )


def gpu_line(readings: GpuReadings, width: int = 0) -> str:
    """Return the header's lines of all cards, shorter where they are wider than `width` cells."""
    if not readings.cards:
        return readings.reason
    return "\n".join(_fitting_card(card, width) for card in readings.cards)


def _fitting_card(card: GpuReading, width: int) -> str:
    line = _card(card, card.name, BAR)
    if not 0 < width < len(line):
        return line
    return _card(card, card.name.removeprefix("NVIDIA ").removeprefix("GeForce "), SHORT_BAR)


def _card(card: GpuReading, name: str, length: int) -> str:
    parts = [printable(name), f"driver {printable(card.driver)}"]
    if card.memory_total:
        used = card.memory_used or 0
        filled = round(length * used / card.memory_total)
        bar = "█" * filled + "░" * (length - filled)
        parts.append(f"{bar} {bytes_text(used)} of {bytes_text(card.memory_total)}")
    parts += [f"{card.temperature} °C"] if card.temperature is not None else []
    parts += [f"{card.utilisation} %"] if card.utilisation is not None else []
    return "  ".join(parts)


def hosts_of(rows: Iterable[Shown]) -> list[str]:
    """Return the other hosts that rows are of."""
    return sorted({row.host for row in rows} - {LOCAL})
