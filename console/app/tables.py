"""What the database holds, to look at only."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import DataTable, Footer, TabbedContent, TabPane

from console.app.text import Back
from console.app.threads import beside
from console.app.words import Heading
from console.words.safe import safe
from tasks.database.database import rows_of
from tasks.database.rows import KEYS, Row

TABLES = (*KEYS, "events")
# Of events the newest are shown, so many.
AT_MOST = 500


class Database(Back):
    """Its tables, each behind a tab."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Heading(f"{self.path} (read only)")
            with TabbedContent():
                for name in TABLES:
                    with TabPane(name, id=name):
                        yield DataTable(id=f"rows-{name}", cursor_type="row", zebra_stripes=True)
        yield Footer()

    def on_mount(self) -> None:
        beside(self, self._read, self._show)

    def _read(self) -> dict[str, list[Row]]:
        return {name: rows_of(self.path, name)[-AT_MOST:] for name in TABLES}

    def _show(self, found: dict[str, list[Row]]) -> None:
        for name, rows in found.items():
            table: DataTable[Text] = self.query_one(f"#rows-{name}", DataTable)
            for heading in rows[0] if rows else ["nothing"]:
                table.add_column(safe(heading))
            # The newest event is the one that a person looks for.
            for row in reversed(rows) if name == "events" else rows:
                table.add_row(*(safe("" if value is None else value) for value in row.values()))
