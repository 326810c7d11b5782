"""What is there now, gathered in threads so that the keyboard never waits for it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from console import fleet
from console.app.cells import Shown
from console.app.gpu import GpuReader, GpuReadings
from console.host import SeenHost, Trouble, declared, this_machine
from console.services import unknown
from console.status import HostStatus, statuses
from console.sync import inventory_now
from tasks.inventory.database import DatabaseError, is_up_to_date, record, rows_of
from tasks.inventory.rows import LOCAL, row_name
from tasks.layers import rooted
from tasks.stack import DeclarationError, Stack

# Seconds: between looks at this machine, and at a fleet, over ssh.
INTERVAL, FLEET_INTERVAL = 2.0, 10.0
# After the engine was lost, its events are asked for again so often.
AGAIN = 2.0
# Events come in bunches: what follows within this time is one look.
BUNCH = 0.1
# Registries are asked so often what they offer.
OFFERS_INTERVAL = 3600.0
# Health checks make events all the time; these are the ones that change a row.
EVENTS = ("create", "start", "die", "destroy", "pause", "unpause", "rename", "health_status")


@dataclass(frozen=True)
class View:
    """All that the app shows at one moment. `fault`: what keeps it from being shown."""

    statuses: tuple[HostStatus, ...] = ()
    gpu: GpuReadings = field(default_factory=GpuReadings)
    fault: Trouble | None = None
    note: str = ""
    changed: dict[str, str] = field(default_factory=dict)
    offers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    has_looked: bool = False

    @property
    def here(self) -> HostStatus | None:
        """This machine, where it is one of the hosts."""
        return next((status for status in self.statuses if status.seen.name == LOCAL), None)

    @property
    def stack(self) -> Stack | None:
        """The declaration of this machine, where it is valid."""
        return self.here.seen.stack if self.here is not None else None

    def rows(self) -> Iterator[Shown]:
        """Yield every service on every host; those of a silent host as unknown."""
        for status in self.statuses:
            stack = status.seen.stack
            rows = status.rows or (unknown(stack) if stack is not None else ())
            for view in rows:
                name = row_name(status.seen.name, view.name)
                yield Shown(
                    status.seen.name, view, self.changed.get(name, ""), self.offers.get(name, ())
                )


class Feed:
    """Looks every few seconds and after each event of the engine, and tells what it saw.

    Looking, writing into the database, listening to the engine and asking registries have a thread
    each: none waits for another.
    """

    def __init__(self, tell: Callable[[View], None], interval: float = INTERVAL) -> None:
        self.tell, self.interval = tell, interval
        self.view = View()
        self.looking_since: float | None = None
        self.looks = 0
        self.ended = threading.Event()
        self._reader = GpuReader()
        self._changing = threading.Lock()
        self._wake, self._seen = threading.Event(), threading.Event()
        self._stream: Any = None

    def start(self) -> None:
        """Begin."""
        for work in (self._look_on, self._write_on, self._listen_on, self._ask_on):
            threading.Thread(target=work, daemon=True, name=work.__name__).start()

    def stop(self) -> None:
        """End; a thread that waits for an answer ends with the process."""
        self.ended.set()
        self._wake.set()
        self._seen.set()
        if self._stream is not None:
            self._stream.close()

    def look_again(self) -> None:
        """Look now, not only after the interval."""
        self._wake.set()

    def _update(self, **changes: Any) -> None:
        with self._changing:
            before, self.view = self.view, replace(self.view, **changes)
        if self.view != before and not self.ended.is_set():
            self.tell(self.view)

    # --- one thread each -------------------------------------------------------------------------

    def _look_on(self) -> None:
        while not self.ended.is_set():
            self._wake.clear()
            self.looking_since = time.monotonic()
            found, fault = look_at_all()
            self._update(statuses=found, fault=fault, gpu=self._reader.read(), has_looked=True)
            self.looking_since = None
            self.looks += 1
            self._seen.set()
            is_fleet = any(status.seen.name != LOCAL for status in found)
            self._wake.wait(max(self.interval, FLEET_INTERVAL) if is_fleet else self.interval)

    def _write_on(self) -> None:
        while not self.ended.is_set():
            self._seen.wait()
            self._seen.clear()
            here = self.view.here
            if here is None or here.seen.stack is None:
                continue
            note = "" if here.seen.trouble is not None else synchronise(here.seen)
            self._update(note=note, changed=last_changes(here.seen.stack))

    def _listen_on(self) -> None:
        import docker  # noqa: PLC0415 (a quarter of a second, and not the keyboard's)

        while not self.ended.is_set():
            try:
                client = docker.DockerClient(base_url=f"unix://{declared().docker_socket}")
                wanted = {"type": "container", "event": list(EVENTS)}
                self._stream = client.events(filters=wanted)
                self._wake.set()
                for _ in self._stream:
                    self.ended.wait(BUNCH)
                    self._wake.set()
                client.close()
            except (docker.errors.DockerException, OSError, DeclarationError):
                # No engine, or one that went away: the look tells so; ask again later.
                self._stream = None
            self.ended.wait(AGAIN)

    def _ask_on(self) -> None:
        from console.offers import offers  # noqa: PLC0415 (imports much, and nobody waits for it)

        while not self.ended.is_set():
            here = self.view.here
            if here is None or here.seen.stack is None:
                self.ended.wait(AGAIN)
                continue
            if here.seen.stack.check_upgrades:
                self._update(offers=offers(here.seen.stack, here.seen.lock))
            self.ended.wait(OFFERS_INTERVAL)


def look_at_all() -> tuple[tuple[HostStatus, ...], Trouble | None]:
    """Look once at every host of the inventory; the trouble is what keeps all from being seen."""
    try:
        is_here = fleet.is_this_machine(fleet.INVENTORY, ())
        hosts = [this_machine()] if is_here else fleet.look_at(fleet.INVENTORY, ())
    except DeclarationError as error:
        first = error.faults[0] if error.faults else str(error)
        more = f" (and {len(error.faults) - 1} more)" if len(error.faults) > 1 else ""
        return (), Trouble(f"{first}{more}", "correct stack.toml; the app goes on by itself")
    except fleet.FleetError as error:
        return (), error.trouble
    fault = hosts[0].trouble if is_here else None
    return tuple(statuses(hosts)), fault


def synchronise(seen: SeenHost) -> str:
    """Write the rows that differ; returns what a person should know, mostly nothing."""
    if seen.stack is None:
        return ""
    path = rooted(seen.stack.database)
    try:
        found = inventory_now(seen.stack, seen.snapshot)
        return "" if is_up_to_date(path, found) else "; ".join(record(path, found))
    except (DatabaseError, sqlite3.Error, OSError) as error:
        return str(error)


def last_changes(stack: Stack) -> dict[str, str]:
    """Return when each service was last changed, as the database tells (UTC, ISO 8601)."""
    rows: list[dict[str, Any]] = rows_of(rooted(stack.database), "models")
    return {str(row["name"]): str(row["last_updated"] or "") for row in rows}
