"""The app, driven by keys against a real installation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import DataTable, RichLog, Static

from console.app.app import StackApp
from console.app.board import Board
from console.looking.fleet import INVENTORY

# Bounds a wait; no test asserts how long something took.
LIMIT = 40.0
SIZE = (140, 40)


@dataclass
class Driver:
    """Somebody at the keyboard."""

    app: StackApp
    pilot: Pilot[None]

    async def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def type(self, text: str) -> None:
        """Type a text."""
        await self.press(*("colon" if c == ":" else "minus" if c == "-" else c for c in text))

    async def until(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        for _ in range(int(LIMIT / 0.05)):
            if holds():
                return
            await self.pilot.pause(0.05)
        raise AssertionError(f"never: {what}\n{self.text()}")

    @property
    def board(self) -> Board:
        """The main view."""
        return self.app.board

    @property
    def screen(self) -> Screen[object]:
        """What is in front."""
        return self.app.screen

    def rows(self) -> dict[str, dict[str, str]]:
        """Return the main view's table: cells by heading, by service."""
        table: DataTable[object] = self.board.query_one(DataTable)
        headings = [str(column.label).strip() for column in table.ordered_columns]
        return {
            str(key.value): dict(
                zip(headings, (str(cell).strip() for cell in table.get_row(key)), strict=True)
            )
            for key in table.rows
        }

    def state(self, service: str) -> str:
        """Return what the main view says of a service."""
        return self.rows().get(service, {}).get("state", "")

    def said(self, name: str) -> str:
        """Return a text of the main view."""
        return str(self.board.query_one(f"#{name}", Static).render())

    def text(self) -> str:
        """Return all that is in front, as text."""
        parts = [str(static.render()) for static in self.screen.query(Static)]
        parts += [line.text for log in self.screen.query(RichLog) for line in log.lines]
        return "\n".join(parts)

    async def ready(self) -> None:
        """Wait until every service is shown and every check is done."""
        await self.until(self.rows, "rows")
        await self.until(lambda: None not in self.board.checks.values(), "checks")

    async def choose(self, service: str) -> None:
        """Put the cursor on a service."""
        table: DataTable[object] = self.board.query_one(DataTable)
        table.move_cursor(row=list(self.rows()).index(service))
        await self.pilot.pause()

    async def work(self, *keys: str) -> str:
        """Press keys that begin long work, wait for its end, go back; returns what it printed."""
        before = self.app.job
        await self.press(*keys)
        await self.until(lambda: self.app.job is not before, f"work after {keys}")
        job = self.app.job
        assert job is not None
        await self.until(lambda: not job.is_running, f"the end of {job.title}")
        await self.press("escape")
        await self.until(lambda: self.screen is self.board, "the main view")
        return "\n".join([*job.lines, job.outcome])


@asynccontextmanager
async def driven(
    interval: float | None = None, size: tuple[int, int] = SIZE, inventory: Path = INVENTORY
) -> AsyncIterator[Driver]:
    """Open the app without a terminal; STACK_FILE tells which installation it is of."""
    app = StackApp(interval, inventory)
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot)
        await driver.ready()
        yield driver
    # Its threads end by themselves; give those that wait for nothing the time to.
    await asyncio.sleep(0)
