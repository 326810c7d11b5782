"""The app with the worst that servers, hosts and registries could say: shown, and nothing obeyed
(attack 13); and what cannot be shown ends no thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList, RichLog
from textual.widgets._toast import Toast

from console.app import chatting, pulling
from console.app.app import StackApp
from console.app.asking import Confirm, Menu
from console.app.board import Board
from console.app.cells import Shown, gpu_line
from console.app.chatting import Chat
from console.app.details import details
from console.app.feed import Feed, View
from console.app.jobs import Job
from console.app.pulling import Pull
from console.app.tables import Database
from console.app.text import Follow, Lines
from console.app.threads import beside, tell
from console.app.work import JobView
from console.checks.finding import Check
from console.looking.gpu import GpuReading, GpuReadings
from console.looking.host import SeenHost
from console.looking.services import unknown
from console.looking.status import HostStatus
from console.words.trouble import Trouble
from tasks.containers.observed import ObservedServer, ServedModel
from tasks.database.database import record
from tasks.database.rows import inventory_of
from tasks.run.decided import HostDetails
from tests.unit.console.app.samples import STACK, all_of, host, shown, still, until
from tests.unit.foreign import WORST, assert_literal, assert_only_shown, foreign

SIZE = (240, 80)
ROW = unknown(STACK)[0]


def view_of(text: str) -> View:
    """Return a host that says the same whatever it is asked."""
    row = replace(
        ROW,
        role=text,
        state="active",
        model=text,
        installed_version=f"{text}@{text}",
        ollama=text,
        container=text,
        left_gpu=text,
        drift=({"field": text, "old": text, "new": text},),
        models=(text,),
        undeclared=(text,),
        previous=({"name": text, "digest": text * 3, "size": 1},),
    )
    seen = SeenHost(text, STACK, lock_fault=text)
    silent = SeenHost(f"{text}2", STACK, trouble=Trouble(text, text))
    card = GpuReading(text, text, 1, 2, 3, 4)
    statuses = (HostStatus(seen, (row,), (text,), (text,)), HostStatus(silent))
    offers = {f"{text}/{ROW.name}": (text,)}
    trouble = Trouble(text, text)
    return View(statuses, GpuReadings((card,)), trouble, text, {}, offers, has_looked=True)


def drawn(app: StackApp) -> str:
    """Return all that the terminal gets to show."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips(app.size))


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(foreign)
def test_attack_13_the_board_shows_whatever_is_said(text: str) -> None:
    async def look() -> None:
        check = Check("Docker", False, text, text)
        async with still(view_of(text), Docker=check).run_test(
            size=SIZE, notifications=True
        ) as pilot:
            app = await shown(pilot)
            app.notify(text, title=text)
            await pilot.pause()
            assert_only_shown(drawn(app))

    asyncio.run(look())


async def test_attack_13_the_board_and_a_notification_show_markup_as_it_is() -> None:
    async with still(view_of(WORST)).run_test(size=SIZE, notifications=True) as pilot:
        app = await shown(pilot)
        for line in ("about", "notes", "trouble", "gpu"):
            told = str(app.board.query_one(f"#{line}").content)  # type: ignore[attr-defined]
            assert_only_shown(told)
            assert_literal(told)
        assert len(str(app.board.query_one("#trouble").content).splitlines()) == 2  # type: ignore[attr-defined]
        app.notify(WORST, title=WORST, markup=True)
        await pilot.pause()
        assert_only_shown(drawn(app))
        (toast,) = app.screen.query(Toast)
        assert_literal(str(toast.render()))


@settings(max_examples=30)
@given(foreign)
def test_attack_13_a_card_is_one_line_whatever_its_driver_says(text: str) -> None:
    assert_only_shown(gpu_line(view_of(text).gpu))
    assert "\n" not in gpu_line(view_of(text).gpu)


async def screen_of(app: StackApp, pilot: Pilot[None], screen: Screen[Any]) -> str:
    app.push_screen(screen)
    await until(pilot, lambda: app.screen is screen)
    await pilot.pause(0.1)
    return drawn(app)


async def test_attack_13_every_view_shows_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "models", lambda _: [WORST])
    service = STACK.services[0].model_copy(update={"model": WORST})
    held = {service.model: ServedModel(WORST, WORST, 1), WORST: ServedModel(WORST, WORST, 1)}
    seen = host("ws1", replace(all_of(), servers={"qwen": ObservedServer(WORST, held)}))
    row = Shown("ws1", next(view_of(WORST).rows()).view)
    job = Job(WORST, [])
    job.take(WORST, lambda _: None)

    class Stream:
        def lines(self) -> Iterator[str]:
            yield WORST
            raise ValueError(WORST)

        def close(self) -> None:
            pass

    async with still(view_of(WORST)).run_test(size=SIZE, notifications=True) as pilot:
        app = await shown(pilot)
        for screen in (
            Lines(WORST, lambda: [WORST, *details(row, seen)]),
            Follow(WORST, Stream()),  # type: ignore[arg-type]
            JobView(job),
            Confirm(WORST),
            Menu(WORST, []),
            Pull(STACK, service),
        ):
            told = await screen_of(app, pilot, screen)
            assert_only_shown(told)
            assert_literal(told)
            for log in screen.query(RichLog):
                assert_only_shown("\n".join(strip.text for strip in log.lines))
        assert app.screen.query_one(OptionList).option_count == 1


async def test_attack_13_the_view_of_the_database_shows_every_cell(tmp_path: Path) -> None:
    path = tmp_path / "models.db"
    keys = ("run", "at", "host", "service", "action", "subject", "why")
    event = dict.fromkeys(keys, WORST)
    server = ObservedServer(WORST, {WORST: ServedModel(WORST, WORST, 1)})
    snapshot = replace(all_of(), servers={"qwen": server}, version=WORST)
    record(path, inventory_of("@local", STACK, snapshot, HostDetails(WORST), {}, [event]))
    async with still().run_test(size=SIZE, notifications=True) as pilot:
        app = await shown(pilot)
        screen = Database(path)
        await screen_of(app, pilot, screen)
        for name in ("hosts", "services", "service_models", "events"):
            table: Any = screen.query_one(f"#rows-{name}")
            await until(pilot, lambda table=table: table.row_count > 0)
            screen.query_one("TabbedContent").active = name  # type: ignore[attr-defined]
            await pilot.pause(0.1)
            cells = [cell.plain for row in range(table.row_count) for cell in table.get_row_at(row)]
            assert_only_shown("".join(cells) + drawn(app))
            assert_literal(" ".join(cells))


async def test_attack_13_an_answer_is_literal_and_a_fault_of_ours_lets_one_ask_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def answers(*_: Any) -> Iterator[tuple[str, float]]:
        yield from ((letter, 0.0) for letter in WORST)
        raise ValueError(WORST)

    monkeypatch.setattr(chatting, "answer", answers)
    async with still().run_test(size=SIZE, notifications=True) as pilot:
        app = await shown(pilot)
        chat = Chat(STACK.services[0], 1)
        await screen_of(app, pilot, chat)
        chat.query_one(Input).value = "hi"
        await pilot.press("enter")
        await until(pilot, lambda: not chat.is_answering and "fault" in drawn(app))
        assert_only_shown(drawn(app))
        assert_literal(drawn(app))
        assert chat.messages == []


async def test_what_cannot_be_shown_ends_no_thread_that_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looks = threading.Semaphore(0)

    class Looking(Feed):
        def start(self) -> None:
            threading.Thread(target=self.look, daemon=True).start()

        def look(self) -> None:
            for number in range(3):
                self._update(note=str(number))
                looks.release()

    def broken(*_: Any) -> None:
        raise RuntimeError(WORST)

    monkeypatch.setattr(Board, "show", broken)
    app = StackApp(feed=Looking)
    async with app.run_test(size=SIZE, notifications=True) as pilot:
        await until(pilot, lambda: looks._value == 3)
        await until(pilot, lambda: "RuntimeError" in drawn(app))
        # Each once: it would come with every look.
        assert len(app._notifications) == 1
        assert_only_shown(drawn(app))
    assert app.fault is None


async def test_work_beside_that_fails_says_so_in_the_app(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fail() -> str:
        raise ValueError(WORST)

    async with still().run_test(size=SIZE, notifications=True) as pilot:
        app = await shown(pilot)
        beside(app.board, fail, lambda _: None)
        beside(app.board, lambda: "", lambda _: fail())
        await until(pilot, lambda: "ValueError" in drawn(app))
        assert_only_shown(drawn(app))
    assert "Traceback" not in "".join(capfd.readouterr())


async def test_an_app_that_is_gone_is_told_nothing() -> None:
    async with still().run_test() as pilot:
        app = await shown(pilot)
    tell(app, lambda: None)
