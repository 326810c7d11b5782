"""The main view on invented Views: the feed is never started, nothing is looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.widgets import DataTable, Static

from console.app import board as module
from console.app.app import StackApp
from console.app.cells import HEADINGS, LEAVING
from console.app.feed import View
from console.app.jobs import Job
from console.checks.finding import Check
from console.looking.gpu import GpuReadings
from console.words.trouble import Trouble
from tasks.containers.observed import Snapshot
from tests.unit.console.app.samples import (
    NO_DOCKER,
    STACK,
    all_of,
    fleet,
    host,
    one_stopped,
    said,
    shown,
    still,
    until,
    view,
)
from tests.unit.tasks.samples import stack

WIDE, NARROW = (180, 40), (80, 24)
NO_DOCKER_CHECK = Check("Docker", False, NO_DOCKER.cause, NO_DOCKER.remedy)


def table(app: StackApp) -> DataTable[Any]:
    return app.board.query_one(DataTable)


def row(app: StackApp) -> str:
    """Return the service under the cursor, as the table has it."""
    return str(list(table(app).rows)[table(app).cursor_row].value)


def reordered(*names: str, model: str = "") -> View:
    """Return a View of these services only, in this order."""
    (status,) = view().statuses
    rows = tuple(next(r for r in status.rows if r.name == name) for name in names)
    if model:
        rows = tuple(replace(r, installed_version=f"{model}@123456789abc") for r in rows)
    return view(*[]) if not names else replace(view(), statuses=(replace(status, rows=rows),))


async def test_the_cursor_stays_on_its_service_when_rows_change() -> None:
    async with still().run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        await pilot.press("down", "down")
        assert (row(app), app.chosen and app.chosen.key) == ("mistral", "mistral")
        for names in (("deepseek", "mistral"), ("mistral", "qwen"), ("qwen", "mistral")):
            app.board.show(reordered(*names))
            await pilot.pause()
            assert (row(app), app.chosen and app.chosen.key) == ("mistral", "mistral")


async def test_where_its_service_is_gone_the_cursor_is_on_another_one() -> None:
    async with still().run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        await pilot.press("down", "down")
        app.board.show(reordered("qwen"))
        await pilot.pause()
        assert (row(app), app.chosen and app.chosen.key) == ("qwen", "qwen")
        app.board.show(View())
        await pilot.pause()
        assert app.chosen is None
        assert said(app, "about") == ""


async def test_a_cell_that_changes_moves_nothing_else() -> None:
    async with still().run_test(size=WIDE) as pilot:
        app = await shown(pilot)
        await pilot.press("down")
        cleared: list[bool] = []
        clear = table(app).clear
        table(app).clear = lambda **kw: cleared.append(True) or clear(**kw)  # type: ignore
        app.board.show(one_stopped())
        await pilot.pause()
        assert table(app).get_cell("deepseek", "state").plain.strip() == "stopped"
        assert table(app).get_cell("qwen", "look at").plain.strip() == "upgrade available"
        assert (row(app), cleared) == ("deepseek", [])


async def test_the_pane_follows_the_cursor_and_what_is_seen() -> None:
    async with still().run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        assert said(app, "about").startswith("qwen: code completion\n")
        await pilot.press("down")
        await pilot.pause()
        assert said(app, "about").startswith("deepseek: technical reasoning\n")
        await pilot.press("down")
        app.board.show(one_stopped())
        await pilot.pause()
        assert "drift: environment OLLAMA_KEEP_ALIVE 1h → 5m" in said(app, "about")


async def test_columns_come_and_go_with_the_width() -> None:
    async with still().run_test(size=WIDE) as pilot:
        app = await shown(pilot)
        assert app.board.headings == HEADINGS
        await pilot.press("down")
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: app.board.headings != HEADINGS)
        assert "role" not in app.board.headings
        assert [c.value for c in table(app).columns] == list(app.board.headings)
        assert row(app) == "deepseek"
        await pilot.resize_terminal(*WIDE)
        await until(pilot, lambda: app.board.headings == HEADINGS)


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(view(), id="well"),
        pytest.param(one_stopped(), id="drift"),
        pytest.param(fleet(), id="fleet"),
        pytest.param(reordered("qwen", model="hf.co/x/" + "long-" * 40 + ":Q4_K_M"), id="long"),
    ],
)
async def test_the_table_never_has_to_be_scrolled_sideways(found: View) -> None:
    async with still(found).run_test(size=(200, 24)) as pilot:
        app = await shown(pilot)
        for width in (140, 100, 83, 82, 81, 80, 60):
            await pilot.resize_terminal(width, 24)
            await until(pilot, lambda width=width: table(app).size.width == width - 2)
            assert table(app).virtual_size.width <= table(app).scrollable_content_region.width
            assert {"", "service", "state", "model", "look at"} <= set(app.board.headings)


async def test_many_services_leave_room_for_what_is_below() -> None:
    models = {f"s{n:02}": {"model": "m:1", "port": 12000 + n, "context": 512} for n in range(40)}
    many = stack(models=models)
    found = view(host(seen=all_of(many), declared=many))
    async with still(found).run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        await pilot.press("end")
        await pilot.pause()
        assert table(app).size.height <= 12
        assert table(app).virtual_size.width <= table(app).scrollable_content_region.width
        assert said(app, "about").startswith(row(app))


def height_of(app: StackApp, name: str) -> int:
    return app.board.query_one(f"#{name}", Static).size.height


async def test_checks_are_shown_while_they_run_and_when_they_found_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CHECK_AGAIN", 0.05)
    app = still(Docker=NO_DOCKER_CHECK)
    assert all(check is None for check in app.board.checks.values())
    async with app.run_test(size=NARROW) as pilot:
        await shown(pilot)
        text = f"✗ Docker: {NO_DOCKER.cause}\n    remedy: {NO_DOCKER.remedy}"
        await until(pilot, lambda: said(app, "checks") == text)
        # The remedy is longer than a line.
        await until(pilot, lambda: height_of(app, "checks") == 3)
        type(app.feed).checks = {**type(app.feed).checks, "Docker": Check("Docker", True, "up")}
        await until(pilot, lambda: said(app, "checks") == "")


async def test_all_that_the_checks_found_is_on_the_screen() -> None:
    wrong = {n: Check(n, False, f"{n} is wrong", "mend it") for n in still().board.checks}
    async with still(View(), **wrong).run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        await until(pilot, lambda: height_of(app, "checks") == 2 * len(wrong))


async def test_trouble_is_told_and_goes() -> None:
    trouble = Trouble("there is no inventory", "name another")
    async with still(GPU=Check("GPU", False, "no GPU", "x")).run_test(size=NARROW) as pilot:
        app = await shown(pilot, View(fault=trouble, has_looked=True))
        # A check that found something else does not hide it.
        assert said(app, "trouble") == "✗ there is no inventory\n  remedy: name another"
        app.board.show(view())
        await pilot.pause()
        assert said(app, "trouble") == ""


async def test_what_a_check_tells_already_is_told_once() -> None:
    found = view(host(seen=Snapshot(), trouble=NO_DOCKER), fault=NO_DOCKER)
    async with still(found, Docker=NO_DOCKER_CHECK).run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        everything = "\n".join(said(app, name) for name in ("checks", "trouble", "notes"))
        assert everything.count(NO_DOCKER.cause) == 1
    async with still(found).run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        assert said(app, "trouble").count(NO_DOCKER.cause) == 1


async def test_what_a_look_cannot_show_in_rows_is_told_below_them() -> None:
    async with still(fleet()).run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        assert said(app, "notes") == "ws3: nobody answers at ws3:22\n  remedy: switch it on"
        app.board.show(view(note=".models.db was unusable (damaged)"))
        await pilot.pause()
        assert said(app, "notes") == ".models.db was unusable (damaged)"


async def test_the_card_is_shown_shorter_where_there_is_less_room() -> None:
    async with still().run_test(size=WIDE) as pilot:
        app = await shown(pilot)
        assert said(app, "gpu").startswith("NVIDIA GeForce RTX 2070 SUPER")
        await pilot.resize_terminal(*NARROW)
        await until(pilot, lambda: said(app, "gpu").startswith("RTX 2070 SUPER"))
        app.board.show(view(gpu=GpuReadings(reason="no GPU")))
        assert said(app, "gpu") == "no GPU"


async def test_before_the_first_look_it_says_that_it_looks() -> None:
    async with still(View()).run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        assert said(app, "gpu") == module.LOOKING


async def test_work_and_a_slow_look_are_told() -> None:
    async with still().run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        app.job = Job("restart qwen", [])
        app.feed.looking_since = module.time.monotonic() - 60
        app.board.tick()
        first, second = said(app, "job").splitlines()
        assert first == "restart qwen: at work …   (o: output, x: cancel)"
        assert second.startswith("shown as 6")
        app.job.status, app.feed.looking_since = 0, None
        app.board.tick()
        assert said(app, "job") == ""


@pytest.mark.parametrize("no_color", [False, True])
async def test_colours_can_be_off_and_light(
    monkeypatch: pytest.MonkeyPatch, no_color: bool
) -> None:
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    async with still(one_stopped()).run_test(size=NARROW) as pilot:
        app = await shown(pilot)
        assert app.no_color is no_color
        before = app.theme
        await pilot.press("T")
        assert app.theme != before
        assert not app.current_theme.dark
        await pilot.press("T")
        assert app.theme == before
        assert table(app).get_cell("deepseek", "").plain.strip() == "✗"


def test_what_leaves_is_not_what_a_person_needs_most() -> None:
    assert {"service", "state", "model", "look at"}.isdisjoint(LEAVING)
    assert set(LEAVING) <= set(HEADINGS)
    assert STACK.services
