"""The main view: a row for each service, and below it what is known of the one under the cursor."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import ClassVar

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import DataTable, Footer

from console.app.cells import Shown, about, cells_of, cut, fitting, gpu_line
from console.app.feed import Feed, View
from console.app.jobs import Job
from console.app.threads import beside
from console.app.words import Words
from console.checks import startup
from console.checks.finding import Check
from console.looking.status import HostStatus, notes
from console.words.trouble import Trouble
from tasks.words.printable import printable

LOOKING = "looking …"
# The table's padding, and its scroll bar where there are many rows; in cells.
EDGES = 3
TICK = 0.5
# A look that takes longer than this is told: what is shown is old.
SLOW = 4.0
# Checks that found something wrong are done again so often: the app recovers by itself.
CHECK_AGAIN = 5.0


class Rows(DataTable[Text]):
    """The table of services; Enter opens the menu, where there is no service too."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "app.menu", "menu")]


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
        yield Words(LOOKING, key="gpu")
        yield _line("checks")
        yield _line("trouble")
        yield Rows(cursor_type="row", zebra_stripes=True, cell_padding=0)
        with VerticalScroll(id="below", can_focus=False):
            yield _line("about")
            yield _line("notes")
        yield _line("job")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.query_one(Rows).focus()
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
        """Show as much as there is room for."""
        self._show_gpu()
        self._show_rows()

    # --- what was seen ---------------------------------------------------------------------------

    def show(self, view: View) -> None:
        """Show what was seen."""
        self.seen, self.shown = view, list(view.rows())
        self._show_gpu()
        self._show_trouble(view.fault)
        self._show_rows()
        self._show_notes()

    def _show_gpu(self) -> None:
        text = gpu_line(self.seen.gpu, self.size.width - EDGES)
        self.query_one("#gpu", Words).update(text or LOOKING)

    def _show_trouble(self, trouble: Trouble | None) -> None:
        # The checks above tell of a missing Docker and an invalid declaration with their remedies.
        wrong = [check.finding for check in self.checks.values() if check and not check.is_well]
        is_told = trouble is not None and any(trouble.cause in finding for finding in wrong)
        if trouble is None or is_told:
            self._say("trouble", ())
        else:
            self._say("trouble", (f"✗ {trouble.cause}", f"  remedy: {trouble.remedy}"))

    def _show_rows(self) -> None:
        table, now = self.query_one(Rows), self.feed.now()
        rows = [cells_of(shown, now) for shown in self.shown]
        width = self.size.width - EDGES
        headings = fitting(rows, width)
        rows = cut(rows, headings, width)
        keys = [shown.key for shown in self.shown]
        there = [key.value for key in table.rows]
        if headings != self.headings or keys != there:
            at = table.cursor_row
            if 0 <= at < len(there) and there[at] in keys:
                at = keys.index(str(there[at]))
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
        statuses = [self._without_fault(status) for status in self.seen.statuses]
        lines = [text for status in statuses for text, _ in notes(status, rows=False)]
        self._say("notes", [*lines, *filter(None, [self.seen.note])])

    def _without_fault(self, status: HostStatus) -> HostStatus:
        """Leave out what is told above the table already."""
        if status.seen.trouble is None or status.seen.trouble != self.seen.fault:
            return status
        return replace(status, seen=replace(status.seen, trouble=None))

    @on(DataTable.RowHighlighted)
    def _show_about(self) -> None:
        chosen = self.chosen
        self._say("about", about(chosen, self.feed.now()) if chosen is not None else ())

    def _say(self, name: str, lines: Iterable[str]) -> None:
        text = "\n".join(map(printable, lines))
        line = self.query_one(f"#{name}", Words)
        if line.content == text and line.display == bool(text):
            return
        line.update(text)
        line.display = bool(text)
        # Of two updates with a layout between them, Textual 8.2 takes the height of the first.
        line.call_after_refresh(line.refresh, layout=True)

    @property
    def chosen(self) -> Shown | None:
        """The service under the cursor."""
        at = self.query_one(Rows).cursor_row
        return self.shown[at] if 0 <= at < len(self.shown) else None

    # --- what has to be there, and what is at work -----------------------------------------------

    def check(self) -> None:
        """Do the checks that were not done, or found something wrong; each in its own thread."""
        for name, check in self.checks.items():
            if name not in self.is_under_way and (check is None or not check.is_well):
                self.is_under_way.add(name)
                beside(self, partial(self.feed.checked, name), partial(self._take_check, name))

    def _take_check(self, name: str, check: Check) -> None:
        self.checks[name] = check
        self.is_under_way.discard(name)
        self._show_checks()

    def _show_checks(self) -> None:
        is_first = any(check is None for check in self.checks.values())
        self._say("checks", startup.lines(self.checks, everything=is_first))
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
        self._say("job", lines)


def _line(name: str) -> Words:
    """Make a line that takes no room as long as it says nothing."""
    line = Words(key=name)
    line.display = False
    return line


def _padded(cell: Text) -> Text:
    return cell + "  "
