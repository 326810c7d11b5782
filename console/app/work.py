"""The view of long work: its progress and all that it prints."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, ProgressBar, RichLog

from console.app.jobs import Job
from console.app.text import BACK, Back
from console.app.words import Heading, Words
from console.words.safe import safe

REFRESH = 0.2


class JobView(Back):
    """What a job prints; leaving the view leaves the job at work."""

    BINDINGS: ClassVar[list[BindingType]] = [*BACK, Binding("x", "cancel", "cancel the work")]

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job
        self.has_begun = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Heading(self.job.title)
            yield RichLog(wrap=True, min_width=20)
            yield ProgressBar(total=1, show_eta=False)
            yield Words(key="outcome")
        yield Footer()

    def on_mount(self) -> None:
        self.has_begun = True
        for line in self.job.lines:
            self.add(line)
        self.query_one(RichLog).focus()
        self.set_interval(REFRESH, self.refresh_outcome)
        self.refresh_outcome()

    def add(self, line: str) -> None:
        """Show a further line; what came before the view had its log is written when it has."""
        # A view that is just being left has none any more.
        for log in self.query(RichLog) if self.has_begun else ():
            log.write(safe(line))

    def refresh_outcome(self) -> None:
        """Show how it stands."""
        bar = self.query_one(ProgressBar)
        bar.display = self.job.is_running and self.job.share is not None
        bar.update(progress=self.job.share or 0)
        self.query_one("#outcome", Words).update(self.job.outcome)

    def action_cancel(self) -> None:
        """End the work."""
        self.job.cancel()
