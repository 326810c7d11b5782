"""What a run needs in a test in place of pyinfra: a screen, work beside it, and who takes steps."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from tasks.run.run import Run
from tasks.run.work import Work, commands_of

T = TypeVar("T")


@dataclass
class Beside(Generic[T]):
    """Work in a thread; see Pending."""

    work: Callable[[], T]
    value: T | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.thread.start()

    def _work(self) -> None:
        self.value = self.work()

    def is_done(self) -> bool:
        """Tell whether it has ended."""
        return not self.thread.is_alive()

    def wait(self, seconds: float | None = None) -> T | None:
        """Wait for its end. None where it has not ended by then."""
        self.thread.join(seconds)
        return self.value


@dataclass
class KeptScreen:
    """A Screen that keeps its lines."""

    lines: list[str] = field(default_factory=list)

    def line(self, text: str, colour: str = "") -> None:
        """Keep a line."""
        self.lines.append(text)


def carry_out_now(run: Run, work: Work[Any]) -> bool:
    """Take the steps of a stage one after the other, as pyinfra does; False at the first that
    fails."""
    return all(command() for command in commands_of(run, work))
