"""The memory of the GPU before and after a model is loaded: what the card says of a generation.

Memory that others are still giving back counts neither for nor against a model: a server that
unloads one gives its memory back 0.5 to 1.5 s later (seen on a card; Ollama, server/sched.go). So
the growth is counted by process where the driver tells of processes, and from a baseline that has
become quiet where it does not. The proof, the doctor and verify share this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tasks.shell.output import ONLY_ASCII, PRELUDE

MIB = 1024**2
# The part of what a server says to have put on the GPU that the card has to show: the two reckon
# differently, and others may give some back while the model loads.
LEAST_GROWTH = 0.25
# So many samples in a row, each within TOLERANCE MiB of the first of them, are quiet: a second in
# which a model that leaves has begun to. A card that never is quiet is waited for no longer than
# LONGEST seconds.
QUIET_SAMPLES = 4
TOLERANCE = 16
PAUSE = 0.3
LONGEST = 6
# The clock may be set back while they are taken.
MOST_SAMPLES = 20
# What both looks may take beside the generation: nvidia-smi is ended after 22 s, and is asked for
# no more than a last sample and the processes once it is that slow.
SECONDS = LONGEST + 4 * 22
PREFIX = "gpu-memory="
# Shell functions, to be called around the generation: `gpu_before` and `gpu_after`. Without
# nvidia-smi, and where it fails, they print nothing and wait for nothing. "unknown": a card does
# not tell.
FUNCTIONS = f"""{PRELUDE}:/usr/lib/wsl/lib
gpu_ask() {{
  said=$(timeout -k 2 20 nvidia-smi "--query-$1" --format=csv,noheader,nounits \
    2>/dev/null </dev/null) || return
  printf '%s\\n' "$said" | {ONLY_ASCII}
}}
gpu_used() {{
  gpu_ask gpu=memory.used | awk '$1 !~ /^[0-9]+$/ {{ odd = 1 }} {{ sum += $1 }}
    END {{ if (NR) print odd ? "unknown" : sum }}'
}}
gpu_processes() {{
  rows=$(gpu_ask compute-apps=pid,used_memory) || return 0
  echo "{PREFIX}$1 listed"
  echo "$rows" | sed "s/^/{PREFIX}$1 process /"
}}
gpu_before() {{
  command -v nvidia-smi >/dev/null || return 0
  began=$(date +%s) taken=0 same=0
  while used=$(gpu_used) && [ -n "$used" ]; do
    echo "{PREFIX}before used $used"
    [ "$used" != unknown ] || break
    if [ "$same" -gt 0 ] && [ $((used - first)) -le {TOLERANCE} ] &&
      [ $((first - used)) -le {TOLERANCE} ]; then same=$((same + 1)); else same=1 first=$used; fi
    taken=$((taken + 1))
    if [ "$same" -ge {QUIET_SAMPLES} ] || [ "$taken" -ge {MOST_SAMPLES} ] ||
      [ $(($(date +%s) - began)) -ge {LONGEST} ]; then break; fi
    sleep {PAUSE}
  done
  [ -z "$used" ] || gpu_processes before
}}
gpu_after() {{
  command -v nvidia-smi >/dev/null || return 0
  used=$(gpu_used)
  [ -n "$used" ] || return 0
  echo "{PREFIX}after used $used"
  gpu_processes after
}}"""
_LINE = re.compile(rf"{PREFIX}(before|after) (used|listed|process) ?(.*)")
# More digits than a card has MiB, or a system PIDs, are no figure.
_USED = re.compile(r"\d{1,9}")
_PROCESS = re.compile(r"(\d{1,9}), *(\d{1,9})")


@dataclass(frozen=True)
class Look:
    """One look at all cards together, in MiB.

    `used` are samples of the used memory, oldest first. `processes` is what each process holds, by
    PID; None where the driver does not tell, or not of each. PIDs are compared and never looked up,
    so that those of another namespace are as good.
    """

    used: tuple[int, ...] = ()
    processes: Mapping[int, int] | None = None

    @property
    def quiet(self) -> int | None:
        """Return the used memory that was seen last, None where it was still changing."""
        last = self.used[-QUIET_SAMPLES:]
        if len(last) < QUIET_SAMPLES or any(abs(u - last[0]) > TOLERANCE for u in last):
            return None
        return last[-1]


@dataclass(frozen=True)
class Memory:
    """By how much the used memory of the GPU grew, in MiB; `claimed` is what the server says to
    have put there, in bytes."""

    grown: int
    claimed: int

    @property
    def has_grown(self) -> bool:
        """Tell whether the card bears out what the server says."""
        return self.grown * MIB >= self.claimed * LEAST_GROWTH

    def __str__(self) -> str:
        return f"{self.grown:+d} MiB"


def measured(said: str, claimed: int) -> Memory | None:
    """Judge what `gpu_before` and `gpu_after` printed; None where the memory tells nothing.

    Other lines are left out.
    """
    found = [m for line in said.split("\n") if (m := _LINE.fullmatch(line.strip()))]
    looks = [
        _look([(m[2], m[3].strip()) for m in found if m[1] == when]) for when in ("before", "after")
    ]
    grown = growth(*looks)
    return None if grown is None else Memory(grown, claimed)


def growth(before: Look, after: Look) -> int | None:
    """Return by how many MiB what is on the cards grew, None where that cannot be known.

    Whoever shrank or left counts neither for nor against.
    """
    old, new = before.processes, after.processes
    if old is not None and new is not None and (old or new):
        return sum(max(0, held - old.get(pid, 0)) for pid, held in new.items())
    # Some drivers (WSL) list nobody, ever: an empty list tells nothing.
    base = before.quiet
    if base is None or not after.used:
        return None
    grown = after.used[-1] - base
    # Others gave memory back after all.
    return None if grown < -TOLERANCE else grown


def _look(told: list[tuple[str, str]]) -> Look:
    """Read the lines of one look: what each is about, and its text."""
    texts = [text for kind, text in told if kind == "used"]
    figures = all(_USED.fullmatch(text) for text in texts)
    used = tuple(int(text) for text in texts) if figures else ()
    processes = None
    if any(kind == "listed" for kind, _ in told):
        processes = _processes(text for kind, text in told if kind == "process")
    return Look(used, processes)


def _processes(rows: Iterable[str]) -> dict[int, int] | None:
    """Add up the rows of a process, one for each card; None where one has no figure."""
    found: dict[int, int] = {}
    for row in rows:
        match = _PROCESS.fullmatch(row)
        if match is not None:
            found[int(match[1])] = found.get(int(match[1]), 0) + int(match[2])
        elif "," in row:
            # "5595, [N/A]", "[Insufficient Permissions], …"; a message has no column.
            return None
    return found
