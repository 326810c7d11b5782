"""The lab's clock: how late an answer comes and in which pieces, drawn from a seed (pure).

Real registries and engines answer late, in pieces and with silences; on one machine all comes at
once, and faults that need a pause are never seen. The same request in the same place of its row
is delayed alike by the same seed, whatever else goes on at the same time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal

from lab.errors import LabError

Pace = Literal["slow", "quick"]
SLOW: Pace = "slow"
QUICK: Pace = "quick"
PACE, SEED = "LAB_PACE", "LAB_SEED"
LARGEST_SEED = 2**31 - 1
# Seconds of a silence that a reader with a poll a second has to notice.
SILENCE = (1.1, 2.0)
# As much of an answer's beginning, and of each line that comes later, is cut into pieces.
SMALL = 4096
# Seconds that the pauses between the pieces of one answer take in all.
MOST_PAUSES = 0.5
_REQUEST = re.compile(rb"[A-Z]{3,10} \S+ HTTP/1\.[01]\r?$")
# Names and digests differ from run to run: what is asked for stays the same.
_ODD = re.compile(r"[0-9a-f]{12,}|\d+")


@dataclass(frozen=True)
class Tempo:
    """How slowly something answers: mean and longest delay and mean pause, in seconds.

    `late` and `silent` are the shares of answers that begin after a silence, and that have one
    between two of their parts.
    """

    delay: float
    longest: float
    pause: float
    pieces: int
    late: float
    silent: float


REGISTRY = Tempo(delay=0.05, longest=0.3, pause=0.01, pieces=4, late=0.05, silent=0.05)
# A run looks dozens of times, and changes little.
LOOK = Tempo(delay=0.008, longest=0.1, pause=0.002, pieces=3, late=0.005, silent=0.05)
CHANGE = Tempo(delay=0.04, longest=0.3, pause=0.005, pieces=3, late=0.04, silent=0.3)
TEMPOS: Mapping[str, Mapping[bool, Tempo]] = {
    "registry": {True: REGISTRY, False: REGISTRY},
    "engine": {True: LOOK, False: CHANGE},
}


class Answer:
    """One answer on its way: what comes is given back in pieces, each with the pause before it."""

    def __init__(self, tempo: Tempo, draw: Random) -> None:
        self._tempo, self._draw = tempo, draw
        self._arrivals = 0
        self._left = MOST_PAUSES
        self.delay = min(draw.expovariate(1 / tempo.delay), tempo.longest)
        if draw.random() < tempo.late:
            self.delay = draw.uniform(*SILENCE)
        # Before which later arrival there is a silence: mostly one of the first.
        self._silent_at = _geometric(draw) if draw.random() < tempo.silent else 0

    def pieces(self, data: bytes) -> Iterator[tuple[float, bytes]]:
        """Cut what arrived; the bytes are the same, and a large rest is one piece."""
        pause = self.delay if not self._arrivals else 0.0
        if self._arrivals and self._arrivals == self._silent_at:
            pause = self._draw.uniform(*SILENCE)
        is_cut = not self._arrivals or len(data) <= SMALL
        self._arrivals += 1
        begin = 0
        for end in self._ends(min(len(data), SMALL)) if is_cut else ():
            yield pause, data[begin:end]
            begin, pause = end, self._pause()
        yield pause, data[begin:]

    def _ends(self, size: int) -> list[int]:
        if self._left <= 0:
            return []
        count = self._draw.randrange(self._tempo.pieces)
        return sorted(self._draw.sample(range(1, size), min(count, size - 1)))

    def _pause(self) -> float:
        pause = min(self._draw.expovariate(1 / self._tempo.pause), self._left)
        self._left -= pause
        return pause


class Clock:
    """Draws the answers of one place; how often each request came is counted."""

    def __init__(self, seed: int, place: str, kind: str) -> None:
        self._seed, self._place = seed, place
        self._tempos = TEMPOS[kind]
        self._seen: Counter[str] = Counter()

    def answer(self, asked: bytes) -> Answer:
        """Return the answer to a request, of which its first line counts."""
        name = _ODD.sub("0", asked.partition(b"\n")[0].decode("latin-1").strip())
        self._seen[name] += 1
        is_look = name.startswith(("GET ", "HEAD "))
        text = f"{self._seed} {self._place} {name} {self._seen[name]}"
        return Answer(self._tempos[is_look], Random(text))


def is_request(data: bytes) -> bool:
    """Tell whether bytes of a client begin a request of HTTP; those of a terminal do not."""
    return bool(_REQUEST.match(data.partition(b"\n")[0]))


def wanted(environment: Mapping[str, str]) -> tuple[Pace, int | None]:
    """Return what LAB_PACE and LAB_SEED ask for: slow and no seed where they are not set."""
    asked, seed = environment.get(PACE) or SLOW, environment.get(SEED, "")
    if asked not in (SLOW, QUICK):
        raise LabError(f"{PACE} is {asked!r}", f"set it to {SLOW} or {QUICK}, or unset it")
    pace: Pace = QUICK if asked == QUICK else SLOW
    if not seed:
        return pace, None
    if not re.fullmatch("[0-9]{1,10}", seed) or not 0 < int(seed) <= LARGEST_SEED:
        raise LabError(f"{SEED} is {seed!r}", f"give a number from 1 to {LARGEST_SEED}")
    return pace, int(seed)


def new_seed() -> int:
    """Return a seed that is short enough to be typed."""
    return Random().randint(1, 999_999)


def told(pace: Pace, seed: int) -> str:
    """Say which pace is kept, and how to have the same delays again."""
    if pace == QUICK:
        return "quick: registries and engine answer at once"
    return f"slow, {SEED}={seed} ({PACE}={QUICK} lets registries and engine answer at once)"


def _geometric(draw: Random) -> int:
    number = 1
    while draw.random() < 0.5:
        number += 1
    return number
