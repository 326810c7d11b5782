"""The app's tests are the same everywhere: no setting of this machine or terminal reaches them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from console.app.app import StackApp
from tests.unit.console.app.samples import shown

Act = Callable[[StackApp, Pilot[None]], Awaitable[None]]
Draw = Callable[..., bool]


@pytest.fixture(autouse=True)
def nobodys_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "COLORTERM", "STACK_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    # Whatever the app draws is as wide as its own terminal.
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def size() -> tuple[int, int]:
    """Give the size of a picture, in cells, where a test asks for no other one."""
    return (100, 20)


async def settled(app: StackApp, pilot: Pilot[None]) -> None:
    """Wait until two pictures in a row are the same: what is laid out later belongs to it."""
    before = ""
    for _ in range(200):
        await pilot.pause(0.05)
        now = app.export_screenshot()
        if now == before:
            return
        before = now
    raise AssertionError("the app never stood still")


@pytest.fixture
def draw(snap_compare: Any, size: tuple[int, int]) -> Draw:
    """Return what compares an app with its picture, when all its checks arrived and it was used."""

    def compare(app: StackApp, act: Act | None = None) -> bool:
        async def before(pilot: Pilot[None]) -> None:
            await shown(pilot)
            if act is not None:
                await act(app, pilot)
            for line in app.screen.query(Input):
                line.cursor_blink = False
            await settled(app, pilot)

        return bool(snap_compare(app, terminal_size=size, run_before=before))

    return compare
