"""What the app shows, from what was seen to cells and lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rich.text import Text

from console.app.gpu import GpuReading, GpuReadings
from console.services import UNKNOWN, ServiceView
from console.table import BROKEN, MARKS, NOTHING, loaded_text
from tasks.inventory.rows import LOCAL, row_name
from tasks.text import bytes_text

BAR = 20
GAP = 2
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
        "": Text(mark, style),
        "service": Text(shown.key, "bold"),
        "role": Text(view.role),
        "state": Text(view.state, style),
        "model": Text(model),
        "version": Text(digest or ("not there" if is_known else NOTHING)),
        "Ollama": Text(view.ollama or NOTHING),
        "container": Text(view.container),
        "port": Text(str(view.port)),
        "loaded": Text(loaded_text(view) if is_known else NOTHING),
        "context": Text(str(view.context)),
        "changed": Text(ago(shown.changed, now)),
        "look at": Text(remarks(shown), "yellow"),
    }


def fitting(rows: Sequence[dict[str, Text]], width: int) -> tuple[str, ...]:
    """Return the headings that fit a width in cells: the least needed leave first."""
    kept = list(HEADINGS)
    for leaving in LEAVING:
        if sum(_width(heading, rows) + GAP for heading in kept) <= width:
            break
        kept.remove(leaving)
    return tuple(kept)


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
    lines += [f"drift: {c['field']} {c['old']} → {c['new']}" for c in view.drift]
    lines += [view.left_gpu] if view.left_gpu else []
    lines += [f"upgrade available: {what}" for what in shown.upgrades]
    lines += [f"kept for a rollback: {k['name']}@{k['digest'][7:19]}" for k in view.previous]
    return lines + [f"not declared, left alone: {name}" for name in view.undeclared]


def client_settings(view: ServiceView) -> str:
    """Return what a client has to be told, as environment variables that most of them read."""
    return (
        f"OPENAI_BASE_URL={view.url}/v1\nOPENAI_API_KEY=ollama\n"
        f"OPENAI_MODEL={view.model}\nOLLAMA_HOST={view.url}\n"
    )


def gpu_line(readings: GpuReadings) -> str:
    """Return the header's line of all cards."""
    if not readings.cards:
        return readings.reason
    return "\n".join(_card(card) for card in readings.cards)


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


def hosts_of(rows: Iterable[Shown]) -> list[str]:
    """Return the other hosts that rows are of."""
    return sorted({row.host for row in rows} - {LOCAL})
