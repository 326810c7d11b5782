"""What happens on one host, told to whoever listens: the screen, the console, the log file."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from tasks.records import journal
from tasks.records.runlog import RunLog
from tasks.words.failures import Failure
from tasks.words.plan import Plan
from tasks.words.printable import printable
from tasks.words.steps import Event, Step

# A `docker run` with all that a service declares is one line, to be copied.
LONGEST_LINE = 20_000


class Screen(Protocol):
    """Where the lines of a host are shown."""

    def line(self, text: str, colour: str = "") -> None:
        """Show a line."""


@dataclass
class Teller:
    """Tells what happens on a host and keeps it for the report and the database.

    `proofs` are where each service's model ran and its tokens a second, `taken` the steps that were
    begun. `record` is the log of what is changed; None where a run only looks.
    """

    host: str
    screen: Screen
    record: RunLog | None = None
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    proofs: dict[str, tuple[str, float]] = field(default_factory=dict)
    taken: list[Step] = field(default_factory=list)

    def has_failed(self, service: str) -> bool:
        """Tell whether the host or this service has failed in this run."""
        return any(f.service in ("", service) for f in self.failures)

    def log(self, message: str) -> None:
        """Show a line to the person who watches."""
        self.screen.line(printable(message, LONGEST_LINE))

    def fail(self, failure: Failure) -> None:
        """Note a failure for the report, and show its first line at once."""
        self.failures.append(failure)
        journal.write("failure", host=self.host, **failure.__dict__)
        for line in failure.lines():
            self.screen.line(line, "red")
        if self.record is not None:
            self.record.failed(failure)

    def note(self, text: str) -> None:
        """Note something that is not a failure and that the person should know; shown once."""
        if text not in self.notes:
            self.notes.append(text)
            journal.write("note", host=self.host, text=text)
            self.screen.line(printable(text), "yellow")

    def begin(self, step: Step, plan: Plan | None) -> None:
        """Show a step that begins, and whether it stands in the plan that was shown."""
        self.taken.append(step)
        self.log(str(step))
        if plan is not None and not plan.foresees(step):
            self.log("  (not in the plan above: what is there is not what it was then)")

    def changed(self, step: Step) -> None:
        """Write a change down."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        event = Event(now, step.service, step.action, step.subject, step.why)
        self.events.append(event)
        journal.write("change", host=self.host, **event.__dict__)
        if self.record is not None:
            self.record.changed(event)
