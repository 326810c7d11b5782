"""The app, measured: from a key to its paint, in good and bad times; what refreshes leave behind.

`python -m bench.app keys` and `python -m bench.app refreshes` converge an installation of their own
on the lab and take it down again; `refreshes --here` looks at the one that STACK_FILE names.
"""

from __future__ import annotations

import asyncio
import fcntl
import gc
import json
import os
import pty
import select
import signal
import sqlite3
import statistics
import struct
import subprocess
import tempfile
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from textual.pilot import Pilot

from console.app.app import StackApp
from lab import state
from lab.say import step
from tests.stack.conftest import free_ports
from tests.stack.installation import OWN_SOCKET, ROOT, Installation

SIZE = (140, 40)
WARM_UP = 100
HALF_AN_HOUR = 900
KEYS = 60
SAMPLES = 40
# Seconds after which a key is said to be lost.
LIMIT = 30.0
DOWN, UP = b"\x1b[B", b"\x1b[A"
NAMES = ("qwen", "deepseek", "mistral")


@contextmanager
def installation() -> Iterator[Installation]:
    """Converge three services, named for a benchmark, for the time of a block."""
    with tempfile.TemporaryDirectory() as folder:
        made = Installation(
            folder=Path(folder),
            lab=state.load(),
            prefix="bench-app-",
            first_port=free_ports(8),
            docker_socket=OWN_SOCKET,
        )
        made.take_down()
        try:
            with step("Converge three services"):
                output = made.converge()
            if output.status:
                raise click.ClickException(output.text)
            os.environ["STACK_FILE"] = str(made.stack_file)
            yield made
        finally:
            made.take_down()


async def refreshes(count: int) -> dict[str, int]:
    """Let the app look `count` times without a pause; return memory (bytes) and descriptors."""
    app = StackApp(interval=0.0)
    async with app.run_test(size=SIZE) as pilot:
        await _looks(app, pilot, WARM_UP)
        before = await _held(pilot)
        await _looks(app, pilot, WARM_UP + count)
        after = await _held(pilot)
    return {
        "refreshes": app.feed.looks - WARM_UP,
        "memory before": before[0],
        "memory after": after[0],
        "descriptors before": before[1],
        "descriptors after": after[1],
        "threads after": len(os.listdir("/proc/self/task")),
    }


async def _looks(app: StackApp, pilot: Pilot[None], count: int) -> None:
    while app.feed.looks < count:
        await pilot.pause(0.1)


async def _held(pilot: Pilot[None]) -> tuple[int, int]:
    """Return memory in bytes, and descriptors: the fewest, for looks come and go with theirs."""
    gc.collect()
    descriptors = []
    for _ in range(SAMPLES):
        await pilot.pause(0.05)
        descriptors.append(len(os.listdir("/proc/self/fd")))
    status = Path("/proc/self/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(kib) * 1024, min(descriptors)


class Screen:
    """The app in a terminal of its own; what it paints is read as it comes."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", SIZE[1], SIZE[0], 0, 0))
        self.process = subprocess.Popen(
            [str(ROOT / "main.sh")],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            env={**environment, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(theirs)

    def until(self, text: str) -> float:
        """Read until a text was painted; return the seconds that took. Raises ClickException."""
        began, painted = time.perf_counter(), b""
        while text.encode() not in painted:
            left = began + LIMIT - time.perf_counter()
            if left <= 0 or not select.select([self.ours], [], [], left)[0]:
                raise click.ClickException(f"{text!r} was never painted")
            painted += os.read(self.ours, 65536)
        return time.perf_counter() - began

    def settle(self, seconds: float) -> None:
        """Read what comes for some seconds."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            if select.select([self.ours], [], [], left)[0]:
                os.read(self.ours, 65536)

    def press(self, keys: bytes) -> None:
        """Press keys."""
        os.write(self.ours, keys)

    def close(self) -> None:
        """Leave the app."""
        self.process.terminate()
        self.process.wait()
        os.close(self.ours)


def latency(made: Installation, prepare: Callable[[], object]) -> list[float]:
    """Move the cursor some times; return the seconds from each key to its paint, sorted."""
    screen = Screen(made.environment)
    try:
        screen.until(f"{NAMES[0]}: ")
        screen.settle(1.0)
        prepare()
        screen.settle(3.0)
        found = []
        for at in range(1, KEYS + 1):
            # Two down, two up, and again: the pane below tells the role of the service reached.
            screen.press(DOWN if at % 4 in (1, 2) else UP)
            found.append(screen.until(f"{NAMES[(0, 1, 2, 1)[at % 4]]}: "))
            screen.settle(0.1)
        return sorted(found)
    finally:
        screen.close()


@click.group()
def bench() -> None:
    """Measure the app."""


@bench.command("refreshes")
@click.option("--here", is_flag=True, help="Of the installation that STACK_FILE names.")
@click.option("--count", default=HALF_AN_HOUR, show_default=True)
def measure_refreshes(here: bool, count: int) -> None:
    """Tell what half an hour of refreshes, sped up, leaves behind; JSON."""
    if here:
        click.echo(json.dumps(asyncio.run(refreshes(count))))
        return
    with installation():
        click.echo(json.dumps(asyncio.run(refreshes(count)), indent=2))


@bench.command("keys")
def measure_keys() -> None:
    """Tell how long a key takes to its paint, in good and bad times."""
    with installation() as made:
        link = made.folder / "docker.sock"
        link.symlink_to(made.socket)
        made.write(docker_socket=str(link))
        _tell(made, "all is well", lambda: None)
        _tell(made, "Docker is down", link.unlink)
        link.symlink_to(made.socket)
        holder = sqlite3.connect(made.database, isolation_level=None)
        made.client.containers.get(made.name("mistral")).stop(timeout=1)
        _tell(made, "the database is locked", lambda: holder.execute("BEGIN EXCLUSIVE"))
        holder.close()
        made.write(model_registry="127.0.0.1:9")
        _tell(made, "the registry of models is down", lambda: None)
        frozen = made.client.containers.get(made.name("qwen"))
        _tell(made, "a server hangs", lambda: frozen.kill(signal="STOP"))
        frozen.kill(signal=signal.SIGCONT)


def _tell(made: Installation, what: str, prepare: Callable[[], object]) -> None:
    found = [1000 * seconds for seconds in latency(made, prepare)]
    slow = found[int(len(found) * 0.95)]
    click.echo(
        f"{what:32} {statistics.median(found):6.1f} ms, 95 in 100 within {slow:6.1f} ms,"
        f" slowest {found[-1]:6.1f} ms"
    )


if __name__ == "__main__":
    bench()
