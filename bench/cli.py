"""`python -m bench`: prepare the contestants, time them in turn, print and keep the result."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import click
from docker.errors import DockerException

from bench import machine, measure, table, tools
from bench.contestants import BENCH, Contestant, ansible, compose, difference, empty, ours
from bench.errors import BenchError
from bench.quick import quick_lab
from lab.errors import LabError
from lab.say import line, step
from lab.settings import is_free
from lab.shell import read
from lab.state import LabState
from tests.stack.installation import OWN_SOCKET, SERVICES, Installation

KEPT_ROUNDS = 7
FIRST_ROUNDS = 3
# Below the ports that the kernel gives away, and apart from those of the tests.
FIRST_PORT, LAST_PORT = 30100, 31990
DOCKER_PACKAGES = ("docker-ce", "docker.io")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--rounds", default=KEPT_ROUNDS, type=click.IntRange(1), help="Converges of each.")
@click.option("--first-rounds", default=FIRST_ROUNDS, type=click.IntRange(1), help="First ones.")
@click.option("--keep", is_flag=True, help="Write the result into bench/README.md.")
def bench(rounds: int, first_rounds: int, keep: bool) -> None:
    """Measure a converge against pyinfra itself, Ansible and Compose, on the lab."""
    if keep and (rounds < KEPT_ROUNDS or first_rounds < FIRST_ROUNDS):
        raise click.UsageError(f"--keep asks for {KEPT_ROUNDS} and {FIRST_ROUNDS} rounds or more")
    programs, compose_words, lab = tools.ansible(), tools.compose(), quick_lab()
    if lab.fault:
        cause = f"the lab's fault {lab.fault.name} is in force"
        raise BenchError(cause, "end it with `python -m lab fault none`")
    with ExitStack() as down:
        made = [down.enter_context(_installation(lab, name)) for name in ("ours", "ansible")]
        contestants = [ours(made[0]), empty(), ansible(programs, made[1], _docker_package())]
        if compose_words:
            made.append(down.enter_context(_installation(lab, "compose")))
            contestants.append(compose(compose_words, made[2]))
        _prepare(contestants)
        load = machine.load()
        line(f"No-op converges, load average {load:.2f}:")
        no_op = measure.no_op(contestants, rounds)
        line("First converges:")
        first = measure.first([contestants[0], contestants[2]], first_rounds)
        about = machine.description(made[0], compose_words)
    result = [
        f"{date.today().isoformat()}: {about[0]}; {about[1]}; load average at the start {load:.2f}",
        "",
        *table.table("no-op converge", no_op),
        "",
        *table.table("first converge", first),
        "",
        *table.goals(no_op, first),
    ]
    line("\n" + "\n".join(result))
    if keep:
        table.keep(BENCH / "README.md", result)


def _prepare(contestants: list[Contestant]) -> None:
    """Converge each, see that a second run changes nothing and that all made the same."""
    for contestant in contestants:
        with step(f"Prepare {contestant.name}"):
            contestant.run()
            contestant.run_without_change()
    first, *others = [c.installation for c in contestants if c.installation is not None]
    for other in others:
        found = difference(first, other)
        if found:
            raise BenchError(
                f"{other.prefix} has other containers than ours: {'; '.join(found)}",
                "make its declaration equal",
            )


@contextmanager
def _installation(lab: LabState, name: str) -> Iterator[Installation]:
    """Make an installation with names and ports of its own, taken down at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        made = Installation(
            folder=Path(folder),
            lab=lab,
            prefix=f"bench-{name}-",
            first_port=_free_ports(len(SERVICES)),
            docker_socket=OWN_SOCKET,
        )
        made.take_down()
        try:
            yield made
        finally:
            made.take_down()


_taken: set[int] = set()


def _free_ports(count: int) -> int:
    """Return the first of some ports in a row that are free, and that no call returned before."""
    for start in range(FIRST_PORT, LAST_PORT, count):
        ports = range(start, start + count)
        if not _taken.intersection(ports) and all(is_free(port) for port in ports):
            _taken.update(ports)
            return start
    raise BenchError(f"no free ports from {FIRST_PORT}", "stop what uses them")


def _docker_package() -> str:
    """Return the package that brought Docker Engine, so that no contestant exchanges it."""
    for name in DOCKER_PACKAGES:
        if "installed" in read(["dpkg-query", "-W", "-f", "${db:Status-Status}", name]).split():
            return name
    raise BenchError("no package brought Docker Engine", f"install {' or '.join(DOCKER_PACKAGES)}")


def main() -> None:
    """Measure; a failure is its cause and remedy, and exit status 1."""
    try:
        bench(prog_name="bench", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(130)
    except (BenchError, LabError) as error:
        sys.exit(f"bench: {error.cause}\n  remedy: {error.remedy}")
    except (DockerException, OSError) as error:
        sys.exit(f"bench: {error}\n  remedy: run again")
