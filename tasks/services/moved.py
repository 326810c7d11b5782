"""What a run did to each service so far: what it may take back."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.run.run import Run
from tasks.words.steps import Step


@dataclass
class Moved:
    """What a run made and stopped of a service.

    `made` are the ids, by name, of the containers that it made, or set aside by consent: these it
    may take back and remove, besides those with our label. `arrived` are the models that were not
    there before. `stopped_at` is when the service ceased to answer, None while it does.
    """

    made: dict[str, str] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    stopped_at: float | None = None
    clock: Callable[[], float] = time.monotonic

    def stop(self) -> None:
        """Note that the service does not answer from now on."""
        if self.stopped_at is None:
            self.stopped_at = self.clock()

    def downtime(self) -> float | None:
        """Return for how many seconds the service did not answer, rounded up, once it does again.

        None where this run did not stop it.
        """
        stopped, self.stopped_at = self.stopped_at, None
        return None if stopped is None else math.ceil((self.clock() - stopped) * 10) / 10


@dataclass
class Moves:
    """What a run did, by service."""

    services: dict[str, Moved] = field(default_factory=dict)

    def of(self, step: Step) -> Moved:
        """Return what was done so far to the service of a step."""
        return self.services.setdefault(step.service, Moved())


def begin(run: Run) -> Callable[[Step], Moved]:
    """Return what a run did so far, by the step that is due: one service may begin in the stage
    of another, whose port it has to give up first."""
    return run.seen.lasting(Moves, Moves).of
