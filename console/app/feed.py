"""What is there now, gathered in threads so that the keyboard never waits for it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from console.app.gpu import GpuReader, GpuReadings
from console.host import SeenHost, Trouble, this_machine
from console.status import HostStatus, statuses
from console.sync import inventory_now
from tasks.inventory.database import DatabaseError, is_up_to_date, record, rows_of
from tasks.layers import rooted
from tasks.stack import DeclarationError, Stack

INTERVAL = 2.0
# After the engine was lost, its events are asked for again so often.
AGAIN = 2.0
# Events come in bunches: what follows within this time is one look.
BUNCH = 0.1


@dataclass(frozen=True)
class View:
    """All that the app shows at one moment. `fault`: what keeps it from being shown."""

    status: HostStatus | None = None
    gpu: GpuReadings = field(default_factory=GpuReadings)
    fault: Trouble | None = None
    note: str = ""
    changed: dict[str, str] = field(default_factory=dict)

    @property
    def stack(self) -> Stack | None:
        """The declaration, where it is valid."""
        return self.status.seen.stack if self.status is not None else None


class Feed:
    """Looks every few seconds and after each event of the engine, and tells what it saw."""

    def __init__(self, tell: Callable[[View], None], interval: float = INTERVAL) -> None:
        self.tell, self.interval = tell, interval
        self.reader = GpuReader()
        self.wake = threading.Event()
        self.ended = threading.Event()
        self.threads = [
            threading.Thread(target=self._look_on, daemon=True, name="look"),
            threading.Thread(target=self._listen, daemon=True, name="events"),
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self.threads:
            thread.start()

    def stop(self) -> None:
        """End; a thread that waits for an answer ends with the process."""
        self.ended.set()
        self.wake.set()

    def look_again(self) -> None:
        """Look now, not only after the interval."""
        self.wake.set()

    def _look_on(self) -> None:
        while not self.ended.is_set():
            self.tell(view(self.reader))
            self.wake.wait(self.interval)
            self.wake.clear()

    def _listen(self) -> None:
        import docker  # noqa: PLC0415 (a quarter of a second, and not the keyboard's)

        while not self.ended.is_set():
            try:
                socket = this_socket()
                client = docker.DockerClient(base_url=f"unix://{socket}", timeout=60)
                for _ in client.events(filters={"type": "container"}):
                    if self.ended.is_set():
                        return
                    time.sleep(BUNCH)
                    self.wake.set()
            except Exception:
                # No engine, or one that went away: the look tells so; ask again later.
                self.ended.wait(AGAIN)


def this_socket() -> str:
    """Return the engine's socket, as declared. Raises DeclarationError."""
    from console.host import declared  # noqa: PLC0415 (changes while the app runs)

    return declared().docker_socket


def view(reader: GpuReader) -> View:
    """Look once, at everything, and bring the database up to date by the hook's own code."""
    gpu = reader.read()
    try:
        seen = this_machine()
    except DeclarationError as error:
        first = error.faults[0] if error.faults else str(error)
        more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        return View(gpu=gpu, fault=Trouble(f"{first}{more}", "correct stack.toml"))
    (status,) = statuses([seen])
    note = "" if seen.trouble is not None else _synchronise(seen)
    return View(status, gpu, seen.trouble, note, last_changes(seen.stack))


def _synchronise(seen: SeenHost) -> str:
    """Write the rows that differ; returns what a person should know, mostly nothing."""
    stack = seen.stack
    if stack is None:
        return ""
    path = rooted(stack.database)
    try:
        found = inventory_now(stack, seen.snapshot)
        return "" if is_up_to_date(path, found) else "; ".join(record(path, found))
    except (DatabaseError, sqlite3.Error, OSError) as error:
        return str(error)


def last_changes(stack: Stack | None) -> dict[str, str]:
    """Return when each service was last changed, as the database tells (UTC, ISO 8601)."""
    if stack is None:
        return {}
    rows: list[dict[str, Any]] = rows_of(rooted(stack.database), "models")
    return {str(row["name"]): str(row["last_updated"] or "") for row in rows}
