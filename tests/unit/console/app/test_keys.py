"""Every key on the main view: what it opens, what it says where it cannot, and the way back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from textual.events import Key
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input, OptionList, RichLog

from console.app import app as module
from console.app import pulling, reading, tables
from console.app.app import MAIN, StackApp
from console.app.asking import Confirm, Menu
from console.app.chatting import Chat
from console.app.commands import COMMANDS, key_name
from console.app.feed import View
from console.app.jobs import Job
from console.app.pulling import Pull
from console.app.tables import Database
from console.app.text import Follow, Lines
from console.app.work import JobView
from tests.unit.console.app.samples import fleet, shown, still, until, view

SIZE = (100, 30)


class Log:
    """A log that ends at once."""

    def __init__(self, socket: str, container: str) -> None:
        self.container = container

    def lines(self) -> Iterator[str]:
        yield f"the log of {self.container}"

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(autouse=True)
def nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give invented answers where a view would ask this machine or a registry."""
    monkeypatch.setattr(module, "LogStream", Log)
    monkeypatch.setattr(module, "details", lambda *_: ["its details"])
    monkeypatch.setattr(reading, "history", lambda *_: ["its history"])
    monkeypatch.setattr(reading, "memory_plan", lambda: ["the plan"])
    monkeypatch.setattr(tables, "rows_of", lambda *_: [])
    monkeypatch.setattr(pulling, "models", lambda _: ["mistral"])


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, list[str]]]:
    """Record what would be run, and run nothing."""
    found: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(StackApp, "begin", lambda _, title, words: found.append((title, words)))
    return found


def told(app: StackApp) -> list[str]:
    """Return what the app has notified."""
    return [str(note.message) for note in app._notifications]


def kept(found: View) -> View:
    """Return a View in which something is kept for a rollback of the first service."""
    (status,) = found.statuses
    previous = ({"name": "ollama/ollama:0.17.4", "digest": "sha256:" + "e" * 64, "size": 1},)
    first = replace(status.rows[0], previous=previous)
    return replace(found, statuses=(replace(status, rows=(first, *status.rows[1:])),))


def text_of(screen: Screen[Any]) -> str:
    return "\n".join(strip.text for strip in screen.query_one(RichLog).lines)


VIEWS = {
    "enter": (Menu, ""),
    "p": (Pull, ""),
    "l": (Follow, "the log of ollama-deepseek"),
    "t": (Chat, ""),
    "i": (Lines, "its details"),
    "h": (Lines, "its history"),
    "m": (Lines, "the plan"),
    "e": (Lines, "✓ Docker: answers at /var/run/docker.sock"),
    "s": (Database, ""),
    "question_mark": (Lines, "?        keys             Every key"),
}


async def test_a_key_opens_its_view_shows_what_was_made_for_it_and_escape_goes_back() -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press("down")
        for key, (kind, text) in VIEWS.items():
            await pilot.press(key)
            await until(pilot, lambda kind=kind: type(app.screen) is kind)
            if text:
                await until(pilot, lambda text=text: text in text_of(app.screen))
            await pilot.press("escape")
            await until(pilot, lambda: app.screen is app.board)
            assert app.chosen is not None
            assert app.chosen.key == "deepseek"


async def test_a_view_whose_text_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "memory_plan", lambda: {}["gone"])
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press("m")
        await until(pilot, lambda: "KeyError: 'gone'" in text_of(app.screen))


async def test_the_view_of_keys_has_every_key() -> None:
    async with still().run_test(size=(100, 40)) as pilot:
        app = await shown(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: "ctrl+p" in text_of(app.screen))
        lines = [line.split() for line in text_of(app.screen).splitlines()]
        assert [words[0] for words in lines if words] == [
            *(key_name(command) for command in COMMANDS),
            "ctrl+p",
        ]


async def test_a_key_begins_its_work(begun: list[tuple[str, list[str]]]) -> None:
    async with still().run_test(size=SIZE) as pilot:
        await shown(pilot)
        await pilot.press(*"adrucvD")
        await until(pilot, lambda: len(begun) == 7)
    assert begun == [
        ("activate qwen", [MAIN, "activate", "qwen"]),
        ("deactivate qwen", [MAIN, "deactivate", "qwen"]),
        ("restart qwen", [MAIN, "restart", "qwen"]),
        ("upgrade qwen", [MAIN, "upgrade", "qwen", "-y"]),
        ("converge", [MAIN, "setup", "-y"]),
        ("verify", [MAIN, "verify"]),
        ("doctor", [MAIN, "doctor"]),
    ]


async def test_the_menu_does_what_is_chosen_in_it(begun: list[tuple[str, list[str]]]) -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press("enter")
        menu = app.screen.query_one(OptionList)
        at = [option.id for option in menu.options].index("verb('restart')")
        await pilot.press(*["down"] * (at - (menu.highlighted or 0)), "enter")
        await until(pilot, lambda: bool(begun))
        assert begun[0][0] == "restart qwen"
        assert app.screen is app.board


async def test_without_a_service_the_menu_has_what_needs_none(
    begun: list[tuple[str, list[str]]],
) -> None:
    async with still(View(has_looked=True)).run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, Menu))
        offered = [option.id for option in app.screen.query_one(OptionList).options]
        assert offered == [c.action for c in COMMANDS if not c.of_service]
        await pilot.press("escape", *"adrubplihytY")
        await pilot.pause()
        assert app.screen is app.board
        assert begun == []
        await pilot.press("c")
        await until(pilot, lambda: bool(begun))
        assert begun == [("converge", [MAIN, "setup", "-y"])]


@pytest.mark.parametrize(("answer", "verbs"), [("y", ["rollback qwen"]), ("n", [])])
async def test_a_rollback_is_asked_for(
    begun: list[tuple[str, list[str]]], answer: str, verbs: list[str]
) -> None:
    async with still(kept(view())).run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press("b")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press(answer)
        await until(pilot, lambda: app.screen is app.board)
        assert [title for title, _ in begun] == verbs


async def test_where_nothing_is_kept_there_is_no_rollback(
    begun: list[tuple[str, list[str]]],
) -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press("b")
        await until(pilot, lambda: bool(told(app)))
        assert told(app) == ["nothing before the present is kept for qwen"]
        assert (app.screen is app.board, begun) == (True, [])


@pytest.mark.parametrize(
    ("use", "words"), [([], []), (["ctrl+t"], ["--use"]), (["ctrl+t", "ctrl+t"], [])]
)
async def test_a_model_that_was_typed_is_pulled(
    begun: list[tuple[str, list[str]]], use: list[str], words: list[str]
) -> None:
    async with still().run_test(size=SIZE) as pilot:
        await shown(pilot)
        await pilot.press("p")
        await until(pilot, lambda: isinstance(pilot.app.screen, Pull))
        await pilot.press(*use, *"q3", "colon", "4", "enter")
        await until(pilot, lambda: bool(begun))
        assert begun == [("pull qwen q3:4", [MAIN, "pull", "qwen", "q3:4", *words])]


async def test_of_another_host_what_needs_its_own_files_is_refused_in_words(
    begun: list[tuple[str, list[str]]],
) -> None:
    async with still(fleet()).run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press("a", *"plt")
        await until(pilot, lambda: len(told(app)) == 4)
        assert "activate of ws1/qwen needs stack.toml" in told(app)[0]
        assert told(app)[1:] == ["ws1/qwen is on another machine: open the app there"] * 3
        assert begun == []
        await pilot.press("r", "c")
        await until(pilot, lambda: len(begun) == 2)
        (restart, words), (converge, for_all) = begun
        assert (restart, converge) == ("restart ws1/qwen", "converge")
        assert words[-6:] == ["--limit", "ws1", "--data", "only=qwen", "--data", "restart=true"]
        assert for_all[-1] == "deploys/stack.py"


@pytest.mark.parametrize(
    ("key", "text"), [("y", "http://127.0.0.1:11434"), ("Y", "OPENAI_MODEL=qwen2.5-coder:7b")]
)
async def test_what_is_copied_is_shown_too(key: str, text: str) -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press(key)
        await until(pilot, lambda: bool(told(app)))
        assert text in app.clipboard
        assert told(app) == [app.clipboard]


async def test_looking_again_is_asked_of_the_feed() -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        before = app.feed.looks
        await pilot.press("f5")
        await until(pilot, lambda: app.feed.looks > before)


async def test_the_palette_finds_what_a_key_does(begun: list[tuple[str, list[str]]]) -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        offered = {command.title: command.help for command in app.get_system_commands(app.board)}
        assert {c.name for c in COMMANDS if c.action != "leave"} <= set(offered)
        await pilot.press("ctrl+p")
        await until(pilot, lambda: type(app.screen).__name__ == "CommandPalette")
        app.screen.query_one(Input).value = "testinfra"
        options = app.screen.query_one(OptionList)
        await until(pilot, lambda: options.option_count == 0)
        app.screen.query_one(Input).value = "verify"
        await until(pilot, lambda: options.option_count == 1)
        await pilot.press("enter")
        await until(pilot, lambda: bool(begun))
        assert begun[0][0] == "verify"


# --- work ----------------------------------------------------------------------------------------


async def working(pilot: Pilot[None], script: str) -> tuple[StackApp, Job]:
    """Begin a command of the shell's."""
    app = await shown(pilot)
    app.begin("try it", ["sh", "-c", script])
    assert app.job is not None
    await until(pilot, lambda: isinstance(app.screen, JobView))
    return app, app.job


async def test_work_is_shown_as_it_goes_and_its_end_is_told() -> None:
    script = "echo begun; echo '45 %, 4.5 GB of 10.0 GB, 1.0 MB/s'; read x </dev/null; exit 3"
    async with still().run_test(size=SIZE) as pilot:
        app, job = await working(pilot, script)
        await until(pilot, lambda: not job.is_running)
        await until(pilot, lambda: "45 %, 4.5 GB" in text_of(app.screen))
        await until(pilot, lambda: bool(told(app)))
        assert told(app) == ["try it: failed (exit status 3)"]
        await pilot.press("escape")
        assert app.screen is app.board
        await pilot.press("o")
        await until(pilot, lambda: "begun" in text_of(app.screen))


async def test_one_work_at_a_time_and_x_ends_it_from_either_view() -> None:
    script = "trap 'exit 9' INT; echo begun; while :; do sleep 0.05; done"
    for leave in ([], ["escape"]):
        async with still().run_test(size=SIZE) as pilot:
            app, job = await working(pilot, script)
            await until(pilot, lambda job=job: job.lines == ["begun"])
            app.begin("another", ["true"])
            assert app.job is job
            await until(pilot, lambda app=app: bool(told(app)))
            assert told(app) == ["try it is at work: o shows it, x cancels it"]
            await pilot.press(*leave, "x")
            await until(pilot, lambda job=job: not job.is_running)
            assert job.status == 9


async def test_output_is_not_lost_under_a_question() -> None:
    script = 'echo begun; while ! [ -e "$HOME/go" ]; do sleep 0.05; done; echo more'
    async with still().run_test(size=SIZE) as pilot:
        app, job = await working(pilot, script)
        await until(pilot, lambda: job.lines == ["begun"])
        view_of_work = app.screen
        await pilot.press("ctrl+q")
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        (Path.home() / "go").touch()
        await until(pilot, lambda: not job.is_running)
        await pilot.press("n")
        await until(pilot, lambda: app.screen is view_of_work)
        await until(pilot, lambda: "more" in text_of(view_of_work))


@pytest.mark.parametrize("keys", [["escape", "q"], ["ctrl+q"]], ids=["q", "ctrl+q"])
async def test_leaving_asks_cancels_and_waits_for_the_end(keys: list[str]) -> None:
    script = "trap 'sleep 0.2; exit 9' INT; echo begun; while :; do sleep 0.05; done"
    app = still()
    async with app.run_test(size=SIZE) as pilot:
        app, job = await working(pilot, script)
        await until(pilot, lambda: job.lines == ["begun"])
        await pilot.press(*keys)
        await until(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("ctrl+q", "y")
        await until(pilot, lambda: not app.is_running or not job.is_running)
    assert (job.status, job.cancels) == (9, 1)


@pytest.mark.parametrize("key", ["q", "ctrl+q"])
async def test_without_work_leaving_asks_nothing(key: str) -> None:
    app = still()
    async with app.run_test(size=SIZE) as pilot:
        await shown(pilot)
        await pilot.press(key)
        await until(pilot, lambda: not app.is_running or app._exit)
    assert app.return_code == 0


@pytest.mark.parametrize(
    ("key", "text"), [("x", "nothing is at work"), ("o", "nothing was begun here yet")]
)
async def test_without_work_its_keys_say_so(key: str, text: str) -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        await pilot.press(key)
        await until(pilot, lambda: bool(told(app)))
        assert told(app) == [text]


def test_every_key_is_tried_here() -> None:
    tried = set("adrubplithyYcvDmseoxTq") | {"enter", "f5", "question_mark"}
    assert {command.key for command in COMMANDS} == tried


@pytest.mark.parametrize("key", ["enter", "p", "i", "question_mark"])
async def test_a_key_typed_after_leaving_does_nothing(key: str) -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        # Both are there before the first is looked at, as when somebody types ahead.
        for typed in ("q", key):
            app.post_message(Key(typed, None))
        await asyncio.sleep(0.1)
    assert app.return_code == 0


async def test_output_that_comes_while_a_view_opens_is_shown_once_and_ends_no_work() -> None:
    async with still().run_test(size=SIZE) as pilot:
        app = await shown(pilot)
        job = Job("chatter", ["true"])
        opening = JobView(job)
        app.push_screen(opening)
        # Nothing was awaited: the view is in front and has no parts yet.
        job.take("the first line", opening.add)
        await until(pilot, lambda: "the first line" in text_of(opening))
        job.take("the second line", opening.add)
        assert text_of(opening).split("\n") == ["the first line", "the second line"]
        await pilot.press("escape")
        job.take("the last line", opening.add)
        assert job.lines[-1] == "the last line"
