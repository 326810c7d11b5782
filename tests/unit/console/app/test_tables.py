"""What the database holds, as tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import DataTable, TabbedContent

from console.app.tables import AT_MOST, TABLES, Database
from tasks.database.database import record
from tasks.database.rows import inventory_of
from tasks.run.decided import HostDetails
from tests.unit.console.app.samples import STACK, all_of, shown, still, until


async def opened(pilot: Pilot[None], path: Path) -> Database:
    app = await shown(pilot)
    screen = Database(path)
    app.push_screen(screen)
    await until(pilot, lambda: screen.is_attached and bool(table(screen, "events").columns))
    return screen


def table(screen: Database, name: str) -> DataTable[Any]:
    return screen.query_one(f"#rows-{name}", DataTable)


async def test_every_table_has_its_rows_and_the_newest_event_comes_first(tmp_path: Path) -> None:
    events = [
        dict(run="r", at=f"2026-01-{n % 28 + 1:02}", host="@local", service="qwen", action="pull")
        | dict(subject=f"m:{n}", why=None)
        for n in range(AT_MOST + 3)
    ]
    path = tmp_path / "models.db"
    record(path, inventory_of("@local", STACK, all_of(), HostDetails(), {}, events))
    async with still().run_test(size=(120, 30)) as pilot:
        screen = await opened(pilot, path)
        counted = {name: table(screen, name).row_count for name in TABLES}
        assert counted == {
            "models": 3,
            "hosts": 1,
            "services": 3,
            "service_models": 3,
            "events": AT_MOST,
        }
        first = [str(cell) for cell in table(screen, "events").get_row_at(0)]
        assert f"m:{AT_MOST + 2}" in first
        assert first[-1] == ""
        assert "2caa0d1e2f2c" in str(table(screen, "models").get_row_at(0))
        screen.query_one(TabbedContent).active = "events"
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not screen)


async def test_a_database_that_is_not_there_shows_nothing_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "models.db"
    async with still().run_test() as pilot:
        screen = await opened(pilot, path)
        assert [table(screen, name).row_count for name in TABLES] == [0] * len(TABLES)
    assert not path.exists()
