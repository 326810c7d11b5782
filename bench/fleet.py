"""`python -m bench.fleet`: a converge that changes nothing, on one fresh host and on three."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import click

from bench import machine
from bench.errors import BenchError
from bench.quick import quick_lab
from lab.errors import LabError
from lab.say import line, step
from tests.stack.fleet import Fleet, done_on, lab_host

NAMES = ("bench1", "bench2", "bench3")
GOAL = 1.5


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=7, type=click.IntRange(1), help="Converges of each.")
@click.argument("names", nargs=-1)
def bench(rounds: int, names: tuple[str, ...]) -> None:
    """Measure one host against all; NAMES are those of the hosts, made and taken down."""
    names = names or NAMES
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        fleet = Fleet(Path(folder), quick_lab())
        try:
            with step(f"Converge {', '.join(names)}"):
                fleet.up(*names)
                _converge(fleet, names, {"Success", "No changes"})
            load = machine.load()
            alone, together = _measure(fleet, names, rounds)
        finally:
            for name in fleet.hosts:
                lab_host("down", name)
    line(f"load average at the start {load:.2f}; {rounds} rounds in turn, medians:")
    line(f"  1 host: {median(alone):.2f} s ({min(alone):.2f} to {max(alone):.2f} s)")
    line(
        f"  {len(names)} hosts: {median(together):.2f} s ({min(together):.2f} to"
        f" {max(together):.2f} s)"
    )
    line(f"  {median(together) / median(alone):.2f} times one host's time (goal: at most {GOAL})")


def _measure(fleet: Fleet, names: tuple[str, ...], rounds: int) -> tuple[list[float], list[float]]:
    """Return the wall times on the first host and on all, in seconds, taken in turn."""
    alone, together = list[float](), list[float]()
    for number in range(1, rounds + 1):
        alone.append(_converge(fleet, names[:1], {"No changes"}))
        together.append(_converge(fleet, names, {"No changes"}))
        line(f"  round {number}: {alone[-1]:.2f} s and {together[-1]:.2f} s")
    return alone, together


def _converge(fleet: Fleet, names: tuple[str, ...], expected: set[str]) -> float:
    limits = [word for name in names for word in ("--limit", name)]
    begun = time.perf_counter()
    output = fleet.run("-y", *limits)
    seconds = time.perf_counter() - begun
    if output.status or any(done_on(output, name) - expected for name in names):
        raise BenchError(f"a converge did something else: {output.text[-2000:]}", "see what it did")
    return seconds


def main() -> None:
    """Measure; a failure is its cause and remedy, and exit status 1."""
    try:
        bench(prog_name="bench.fleet", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except (BenchError, LabError) as error:
        sys.exit(f"bench: {error.cause}\n  remedy: {error.remedy}")
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"bench: {error}\n  remedy: run again")


if __name__ == "__main__":
    main()
