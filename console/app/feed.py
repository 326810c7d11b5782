"""What is there now, gathered in threads so that the keyboard never waits for it."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from console.app.cells import Shown
from console.checks import startup
from console.checks.finding import Check
from console.looking import fleet
from console.looking.gpu import GpuReader, GpuReadings
from console.looking.host import SeenHost, declared, this_machine
from console.looking.inventory import inventory_now
from console.looking.services import unknown
from console.looking.status import HostStatus, statuses
from console.words.trouble import Trouble, fault
from tasks.database.database import DatabaseError, is_up_to_date, record, rows_of
from tasks.database.rows import row_name
from tasks.declared.layers import rooted
from tasks.declared.stack import DeclarationError, Stack
from tasks.words.steps import LOCAL

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
    def any_stack(self) -> Stack | None:
        """A valid declaration, where there is one: they share the controller's files."""
        stacks = (status.seen.stack for status in self.statuses)
        return next((stack for stack in stacks if stack is not None), None)

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
    each: none waits for another. All that the app knows of the machine it has from here.
    """

    def __init__(
        self,
        tell: Callable[[View], None],
        interval: float | None = None,
        inventory: Path = fleet.INVENTORY,
    ) -> None:
        self.tell, self.interval, self.inventory = tell, interval, inventory
        self.view = View()
        self.looking_since: float | None = None
        self.looks = 0
        self.ended = threading.Event()
        self._reader = GpuReader()
        self._changing = threading.Lock()
        self._wake, self._seen = threading.Event(), threading.Event()
        self._stream: Any = None
        # What registries answered, by host; each look holds it against the lock of its time.
        self._answers: dict[str, Mapping[tuple[str, str], Any]] = {}

    def now(self) -> datetime:
        """Return the time by which ages are told."""
        return datetime.now(UTC)

    def checked(self, name: str) -> Check:
        """Do one of the start-up checks."""
        return startup.checked(name)

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
            found, trouble = look_at_all(self.inventory)
            try:
                offered = self._offered(found)
            except Exception as error:
                offered, trouble = {}, trouble or fault(error)
            self._update(
                statuses=found,
                fault=trouble,
                gpu=self._reader.read(),
                offers=offered,
                has_looked=True,
            )
            self.looking_since = None
            self.looks += 1
            self._seen.set()
            is_fleet = any(status.seen.name != LOCAL for status in found)
            interval = self.interval if self.interval is not None else declared_interval(found)
            self._wake.wait(max(interval, FLEET_INTERVAL) if is_fleet else interval)

    def _write_on(self) -> None:
        while not self.ended.is_set():
            self._seen.wait()
            self._seen.clear()
            hosts = [status.seen for status in self.view.statuses]
            found = dict.fromkeys(note for note in map(synchronise, hosts) if note)
            stack = self.view.any_stack
            try:
                changed = last_changes(stack) if stack is not None else {}
            except Exception as error:
                self._update(note="; ".join([*found, fault(error).cause]))
            else:
                self._update(note="; ".join(found), changed=changed)

    def _listen_on(self) -> None:
        import docker  # noqa: PLC0415 (a quarter of a second, and not the keyboard's)

        while not self.ended.is_set():
            # No engine, or one that went away: the look tells so; ask again later.
            try:
                with suppress(docker.errors.DockerException, OSError, DeclarationError):
                    self._listen(docker.DockerClient(base_url=f"unix://{declared().docker_socket}"))
            except Exception as error:
                self._update(note=fault(error).cause)
            self._stream = None
            self.ended.wait(AGAIN)

    def _listen(self, client: Any) -> None:
        with closing(client):
            self._stream = client.events(filters={"type": "container", "event": list(EVENTS)})
            self._wake.set()
            for _ in self._stream:
                self.ended.wait(BUNCH)
                self._wake.set()

    def _ask_on(self) -> None:
        from console.looking.offers import ask  # noqa: PLC0415 (imports much, and nobody waits for it)

        while not self.ended.is_set():
            hosts = [status.seen for status in self.view.statuses]
            for seen in hosts:
                if seen.stack is None or not seen.stack.check_upgrades:
                    continue
                try:
                    self._answers[seen.name] = ask(seen.stack, seen.lock, seen.name)
                except Exception as error:
                    self._update(note=fault(error).cause)
            self._wake.set()
            has_asked = any(seen.stack is not None for seen in hosts)
            self.ended.wait(OFFERS_INTERVAL if has_asked else AGAIN)

    def _offered(self, found: Iterable[HostStatus]) -> dict[str, tuple[str, ...]]:
        """Hold what the registries answered against the lock of this look."""
        offered: dict[str, tuple[str, ...]] = {}
        for seen in (status.seen for status in found):
            if seen.stack is None or seen.name not in self._answers:
                continue
            from console.looking.offers import offers  # noqa: PLC0415 (who answered has imported it)

            moved = offers(seen.stack, seen.lock, self._answers[seen.name], seen.name)
            offered |= {row_name(seen.name, name): what for name, what in moved.items()}
        return offered


def look_at_all(inventory: Path) -> tuple[tuple[HostStatus, ...], Trouble | None]:
    """Look once at every host of the inventory; the trouble is what keeps all from being seen."""
    try:
        is_here = fleet.is_this_machine(inventory, ())
        hosts = [this_machine()] if is_here else fleet.look_at(inventory, ())
        return tuple(statuses(hosts)), hosts[0].trouble if is_here else None
    except DeclarationError as error:
        cause = "; ".join(error.faults) or str(error)
        return (), Trouble(cause, "correct stack.toml; the app goes on by itself")
    except fleet.FleetError as error:
        return (), error.trouble
    except Exception as error:
        return (), fault(error)


def declared_interval(found: Iterable[HostStatus]) -> float:
    """Return the declared seconds between two looks; the default's, where nothing is declared."""
    stacks = (status.seen.stack for status in found)
    return next((stack.refresh_seconds for stack in stacks if stack is not None), INTERVAL)


def synchronise(seen: SeenHost) -> str:
    """Write the rows that differ; returns what a person should know, mostly nothing."""
    if seen.stack is None or seen.trouble is not None:
        return ""
    path = rooted(seen.stack.database)
    try:
        found = inventory_now(seen.stack, seen.snapshot, seen.name)
        return "" if is_up_to_date(path, found) else "; ".join(record(path, found))
    except (DatabaseError, sqlite3.Error, OSError) as error:
        return str(error)
    except Exception as error:
        return fault(error).cause


def last_changes(stack: Stack) -> dict[str, str]:
    """Return when each service was last changed, as the database tells (UTC, ISO 8601)."""
    try:
        rows: list[dict[str, Any]] = rows_of(rooted(stack.database), "models")
    except OSError:
        # Writing it says what is wrong with the file.
        return {}
    return {str(row["name"]): str(row["last_updated"] or "") for row in rows}
