"""A card that plays what was recorded: an nvidia-smi for scripts, and the lines that these print.

The levels are the real card's (recorded/gpu-memory.csv). The steps between two levels are made up:
no sample of a model that is leaving was kept, only how long it took.
"""

from __future__ import annotations

import csv
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.servers.gpu_memory import FUNCTIONS

RECORDED = Path(__file__).parent / "recorded"
# The program that held the rest of the card.
HOG = 1212
NVIDIA_SMI = """#!/bin/sh
cd "$(dirname "$0")" || exit
cat >/dev/null
case $1 in
  --query-gpu=memory.used)
    echo >>asked
    if [ -s falling ]; then
      head -n 1 falling; sed -i 1d falling
    else
      cat used
    fi;;
  --query-compute-apps=pid,used_memory) cat processes;;
  *) echo "what is $1?"; exit 2;;
esac
"""
SLEEP = """#!/bin/sh
echo "$1" >>"$(dirname "$0")/slept"
"""
# The last number is for ever; a line of it for each question.
DATE = """#!/bin/sh
cd "$(dirname "$0")" || exit
head -n 1 clock
[ "$(wc -l <clock)" -eq 1 ] || sed -i 1d clock
"""


@dataclass(frozen=True)
class Recorded:
    """A model on the card that was recorded; `claimed` in bytes, the rest in MiB."""

    claimed: int
    used_before: int
    used_with: int
    held: int


def recorded() -> dict[str, Recorded]:
    """Return the models, by name."""
    text = (RECORDED / "gpu-memory.csv").read_text()
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {row.pop("model"): Recorded(**{k: int(v) for k, v in row.items()}) for row in rows}


def recorded_processes() -> dict[int, int]:
    """Return the processes with deepseek-r1:8b in memory: MiB by PID."""
    lines = (RECORDED / "gpu-processes.txt").read_text().splitlines()
    rows = [line.split(", ") for line in lines if line[:1].isdigit()]
    return {int(pid): int(held.removesuffix(" MiB")) for pid, _, held in rows}


def rows_of(processes: Mapping[int, int]) -> list[str]:
    """Return what nvidia-smi prints of processes."""
    return [f"{pid}, {held}" for pid, held in processes.items()]


def lines(when: str, used: Sequence[int] = (), processes: Sequence[str] | None = None) -> list[str]:
    """Return what the script prints of one look; `processes` are rows of nvidia-smi."""
    found = [f"gpu-memory={when} used {number}" for number in used]
    if processes is not None:
        found.append(f"gpu-memory={when} listed")
        found += [f"gpu-memory={when} process {row}" for row in processes]
    return found


@dataclass(frozen=True)
class Card:
    """The nvidia-smi of a folder: each question for the used memory takes one of `falling`, until
    there is none. Nobody sleeps there: the pauses are told to `slept`, and the clock is `clock`."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Card:
        """Put it into a folder."""
        card = cls(folder)
        for name, text in (("nvidia-smi", NVIDIA_SMI), ("sleep", SLEEP), ("date", DATE)):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        (folder / "clock").write_text("1000\n")
        card.shows(0)
        return card

    def shows(self, *used: int | str, processes: Sequence[str] = ()) -> None:
        """Show samples in this order, the last of them for ever."""
        *falling, last = used
        (self.folder / "falling").write_text("".join(f"{number}\n" for number in falling))
        (self.folder / "used").write_text(f"{last}\n")
        (self.folder / "processes").write_text("".join(f"{row}\n" for row in processes))

    @property
    def asked(self) -> int:
        """Return how often the used memory was asked for."""
        return len(self._told("asked"))

    @property
    def slept(self) -> float:
        """Return the seconds that were waited."""
        return sum(map(float, self._told("slept")))

    def _told(self, name: str) -> list[str]:
        file = self.folder / name
        return file.read_text().splitlines() if file.exists() else []

    def run(self, function: str, program: str = FUNCTIONS, stdin: str = "") -> str:
        """Run a script with this nvidia-smi."""
        done = subprocess.run(
            ["sh", "-c", f"{program}\n{function}"],
            input=stdin,
            env={"PATH": f"{self.folder}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        assert done.stderr == ""
        return done.stdout
