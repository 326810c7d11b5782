"""Time contestants in turn, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from bench.contestants import Contestant
from lab.say import line


@dataclass(frozen=True)
class Times:
    """The wall times of one contestant, in seconds."""

    name: str
    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The median of all rounds."""
        return median(self.seconds)


def no_op(contestants: Sequence[Contestant], rounds: int) -> list[Times]:
    """Time converges that find everything as declared."""
    return _alternate(contestants, rounds, Contestant.run_without_change, lambda _: None)


def first(contestants: Sequence[Contestant], rounds: int) -> list[Times]:
    """Time converges that find no container, no volume and no record; the images are there."""
    return _alternate(contestants, rounds, Contestant.run, Contestant.forget)


def _alternate(
    contestants: Sequence[Contestant],
    rounds: int,
    timed: Callable[[Contestant], object],
    before: Callable[[Contestant], None],
) -> list[Times]:
    seconds: dict[str, list[float]] = {contestant.name: [] for contestant in contestants}
    for number in range(1, rounds + 1):
        for contestant in contestants:
            before(contestant)
            start = time.perf_counter()
            timed(contestant)
            seconds[contestant.name].append(time.perf_counter() - start)
        shown = ", ".join(f"{name} {values[-1]:.2f} s" for name, values in seconds.items())
        line(f"  round {number} of {rounds}: {shown}")
    return [Times(name, tuple(values)) for name, values in seconds.items()]
