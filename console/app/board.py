"""The main view: a row for each service, and below it what is known of the one under the cursor."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import DataTable, Footer, Label, Static

from console.app import startup
from console.app.cells import Shown, about, cells_of, fitting, gpu_line
from console.app.feed import Feed, View
from console.app.jobs import Job
from console.app.threads import beside
from console.doctor import Check
from console.host import Trouble
from console.status import notes

LOOKING = "looking …"
TICK = 0.5
# A look that takes longer than this is told: what is shown is old.
SLOW = 4.0
# Checks that found something wrong are done again so often: the app recovers by itself.
CHECK_AGAIN = 5.0


class Board(Screen[None]):
    """Shows a View; cells change in place, so that the cursor stays where it is."""

    def __init__(self, feed: Feed, job: Callable[[], Job | None]) -> None:
        super().__init__()
        self.feed, self.job = feed, job
        self.seen = View()
        self.shown: list[Shown] = []
        self.headings: tuple[str, ...] = ()
        self.checks: dict[str, Check | None] = dict.fromkeys(startup.names(feed.inventory))
        self.is_under_way: set[str] = set()

    def compose(self) -> ComposeResult:
        yield Label(LOOKING, id="gpu", markup=False)
        yield Static("", id="checks", markup=False)
        yield Static("", id="trouble", markup=False)
        yield DataTable(cursor_type="row", zebra_stripes=True, cell_padding=0)
        with VerticalScroll(id="below", can_focus=False):
            yield Static("", id="about", markup=False)
            yield Static("", id="notes", markup=False)
        yield Static("", id="job", markup=False)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(DataTable).focus()
        self.check()
        self.set_interval(TICK, self.tick)
        self.set_interval(CHECK_AGAIN, self.check)
        self._show_checks()

    @on(events.ScreenResume)
    def resumed(self) -> None:
        """Look again whenever the view is shown."""
        self.feed.look_again()

    @on(events.Resize)
    def resized(self) -> None:
        """Show as many columns as there is room for."""
        self._show_rows()

    # --- what was seen ---------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show what was seen."""
        self.seen, self.shown = view, list(view.rows())
        self.query_one("#gpu", Label).update(gpu_line(view.gpu) or LOOKING)
        self._show_trouble(view.fault)
        self._show_rows()
        self._show_notes()

    def _show_trouble(self, trouble: Trouble | None) -> None:
        # The checks above tell of a missing Docker and an invalid declaration with their remedies.
        is_told = any(check is not None and not check.is_well for check in self.checks.values())
        text = f"✗ {trouble.cause}\n  remedy: {trouble.remedy}" if trouble and not is_told else ""
        self._say("trouble", text)

    def _show_rows(self) -> None:
        table: DataTable[Text] = self.query_one(DataTable)
        now = datetime.now(UTC)
        rows = [cells_of(shown, now) for shown in self.shown]
        headings = fitting(rows, self.size.width)
        keys = [shown.key for shown in self.shown]
        if headings != self.headings or keys != [key.value for key in table.rows]:
            at = table.cursor_row
            table.clear(columns=True)
            self.headings = headings
            for heading in headings:
                table.add_column(f"{heading}  ", key=heading)
            for key, row in zip(keys, rows, strict=True):
                table.add_row(*(_padded(row[heading]) for heading in headings), key=key)
            table.move_cursor(row=at)
        else:
            for key, row in zip(keys, rows, strict=True):
                for heading in headings:
                    cell = _padded(row[heading])
                    if table.get_cell(key, heading) != cell:
                        table.update_cell(key, heading, cell, update_width=True)
        self._show_about()

    def _show_notes(self) -> None:
        lines = [text for status in self.seen.statuses for text, _ in notes(status, rows=False)]
        self._say("notes", "\n".join([*lines, *filter(None, [self.seen.note])]))

    @on(DataTable.RowHighlighted)
    def _show_about(self) -> None:
        chosen = self.chosen
        self._say("about", "\n".join(about(chosen)) if chosen is not None else "")

    def _say(self, name: str, text: str) -> None:
        line = self.query_one(f"#{name}", Static)
        line.update(text)
        line.display = bool(text)

    @property
    def chosen(self) -> Shown | None:
        """The service under the cursor."""
        at = self.query_one(DataTable).cursor_row
        return self.shown[at] if 0 <= at < len(self.shown) else None

    # --- what has to be there, and what is at work -----------------------------------------------

    def check(self) -> None:
        """Do the checks that were not done, or found something wrong; each in its own thread."""
        for name, check in self.checks.items():
            if name not in self.is_under_way and (check is None or not check.is_well):
                self.is_under_way.add(name)
                beside(self, partial(startup.checked, name), partial(self._take_check, name))

    def _take_check(self, name: str, check: Check) -> None:
        self.checks[name] = check
        self.is_under_way.discard(name)
        self._show_checks()

    def _show_checks(self) -> None:
        is_first = any(check is None for check in self.checks.values())
        self._say("checks", "\n".join(startup.lines(self.checks, everything=is_first)))
        self._show_trouble(self.seen.fault)

    def tick(self) -> None:
        """Show how long work stands, and that what is shown is old where a look takes long."""
        job, since = self.job(), self.feed.looking_since
        lines = []
        if job is not None and job.is_running:
            lines.append(f"{job.title}: {job.outcome}   (o: output, x: cancel)")
        waited = time.monotonic() - since if since is not None else 0.0
        if waited > SLOW and self.seen.has_looked:
            lines.append(f"shown as {waited:.0f} s ago: Docker or a server is slow to answer")
        self._say("job", "\n".join(lines))


def _padded(cell: Text) -> Text:
    return cell + "  "
