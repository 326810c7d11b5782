"""Pictures of the app, drawn from invented data (samples.py) on an invented reference machine.

RTX 2070 SUPER with 8 GB; qwen2.5-coder:7b, deepseek-r1:8b and mistral:7b on 11434 to 11436. Nothing
here was recorded on that card. `pytest tests/unit/console/app --snapshot-update` draws them anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from console.app import chatting, pulling
from console.app.app import StackApp
from console.app.chatting import Chat
from console.app.feed import View
from console.app.jobs import Job
from console.app.pulling import Pull
from console.app.work import JobView
from console.checks.finding import Check
from console.looking.gpu import GpuReadings
from tasks.containers.observed import Snapshot
from tasks.registry.manifests import RegistryFault
from tasks.words.numbers import progress_text
from tests.unit.console.app.conftest import Act, Draw
from tests.unit.console.app.samples import (
    NO_DOCKER,
    fleet,
    host,
    one_stopped,
    still,
    until,
    view,
)

SIZES = [
    pytest.param((80, 24), id="80x24"),
    pytest.param((140, 40), id="140x40"),
]
pytestmark = pytest.mark.parametrize("size", SIZES)
WRONG = {
    "declaration": Check(
        "declaration",
        False,
        "stack.toml: models.qwen.port: should be from 1 to 65535",
        "correct stack.toml",
    ),
    "user": Check(
        "user",
        False,
        "this user may not use Docker (/var/run/docker.sock)",
        "sudo usermod -aG docker $USER, then log in again (or newgrp docker)",
    ),
    "GPU": Check(
        "GPU",
        False,
        "no GPU: models run on the CPU",
        "./main.sh doctor goes through driver, toolkit and Docker",
    ),
}
NO_DOCKER_CHECK = Check("Docker", False, NO_DOCKER.cause, NO_DOCKER.remedy)


def pressing(*keys: str) -> Act:
    """Press keys, then wait for a view that they open."""

    async def act(app: StackApp, pilot: Pilot[None]) -> None:
        await pilot.press(*keys)
        await until(pilot, lambda: app.screen is not app.board)

    return act


def test_main_view(draw: Draw) -> None:
    """Three services of the reference machine, all well; invented."""
    assert draw(still())


def test_stopped_drifted_and_an_upgrade_available(draw: Draw) -> None:
    """deepseek is stopped, mistral was changed by hand, qwen's tag moved; invented."""
    assert draw(still(one_stopped()))


def test_without_colour(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with NO_COLOR: words and marks tell all of it; invented."""
    monkeypatch.setenv("NO_COLOR", "1")
    assert draw(still(one_stopped()))


def test_light(draw: Draw) -> None:
    """The same in the light theme; invented."""

    async def light(app: StackApp, pilot: Pilot[None]) -> None:
        await pilot.press("T")

    assert draw(still(one_stopped()), light)


def test_long_names(draw: Draw) -> None:
    """A model of a long name, on the reference machine; invented."""
    long = one_stopped()
    rows = long.statuses[0].rows
    name = "hf.co/somebody/DeepSeek-R1-Distill-Qwen-7B-Instruct-GGUF:Q4_K_M@2cab0d1e2f2c"
    object.__setattr__(rows[1], "installed_version", name)
    assert draw(still(long))


def test_docker_is_down(draw: Draw) -> None:
    """The reference machine without its Docker; invented."""
    found = view(host(seen=Snapshot(), trouble=NO_DOCKER), fault=NO_DOCKER)
    assert draw(still(found, Docker=NO_DOCKER_CHECK))


def test_checks_fail(draw: Draw) -> None:
    """A machine on which much is missing; invented."""
    found = View(gpu=GpuReadings(reason="no GPU"), has_looked=True)
    assert draw(still(found, Docker=NO_DOCKER_CHECK, **WRONG))


def test_two_hosts(draw: Draw) -> None:
    """A fleet: a host that is well, one with drift, and one that nobody reached; invented."""
    assert draw(still(fleet()))


def test_menu(draw: Draw) -> None:
    """What can be done with a service."""
    assert draw(still(), pressing("down", "enter"))


def test_keys(draw: Draw) -> None:
    """Every key."""
    assert draw(still(), pressing("question_mark"))


def test_start_up_checks(draw: Draw) -> None:
    """The start-up checks of the reference machine, all of them; invented."""
    assert draw(still(), pressing("e"))


def test_confirm(draw: Draw) -> None:
    """Leaving while work goes on; invented."""

    async def leave(app: StackApp, pilot: Pilot[None]) -> None:
        app.job = Job("upgrade qwen", [])
        app.board.tick()
        await pilot.press("q")

    assert draw(still(), leave)


def test_work(draw: Draw) -> None:
    """A pull that is under way; invented."""

    async def pull(app: StackApp, pilot: Pilot[None]) -> None:
        app.job = Job("pull mistral ministral-3:8b", [])
        for line in (
            "--> Starting operation: Models | Converge mistral",
            "    [@local] mistral: pull ministral-3:8b (not here yet)",
            "    [@local]   ministral-3:8b: 6.0 GB at the registry",
            f"    [@local]   {progress_text(27 * 10**8, 6 * 10**9, 38e6)}",
        ):
            app.job.take(line, lambda _: None)
        app.push_screen(JobView(app.job))
        await until(pilot, lambda: isinstance(app.screen, JobView))

    assert draw(still(), pull)


@pytest.mark.parametrize("is_silent", [False, True], ids=["offered", "silent"])
def test_pull(draw: Draw, monkeypatch: pytest.MonkeyPatch, is_silent: bool) -> None:
    """Another model: what an invented registry offers, or says nothing of."""
    fault = RegistryFault("https://ollama.com/library does not answer (no answer)", "type a name")
    names = ["ministral-3", "mistral", "mistral-nemo", "mistral-small", "qwen2.5-coder"]
    monkeypatch.setattr(pulling, "models", lambda _: fault if is_silent else names)

    async def search(app: StackApp, pilot: Pilot[None]) -> None:
        await pilot.press("down", "down", "p")
        await until(pilot, lambda: isinstance(app.screen, Pull))
        screen = app.screen
        assert isinstance(screen, Pull)
        await until(pilot, lambda: is_silent or bool(screen.names))
        screen.query_one(Input).value = "mistral"

    assert draw(still(), search)


def test_chat(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    """A short conversation; the answer is invented."""

    def answer(*_: Any) -> Iterator[tuple[str, float]]:
        yield "def double(number: int) -> int:\n    return 2 * number", 0.0
        yield "", 41.0

    monkeypatch.setattr(chatting, "answer", answer)

    async def ask(app: StackApp, pilot: Pilot[None]) -> None:
        await pilot.press("t")
        await until(pilot, lambda: isinstance(app.screen, Chat))
        chat = app.screen
        assert isinstance(chat, Chat)
        chat.query_one(Input).value = "Write a function that doubles a number."
        await pilot.press("enter")
        await until(pilot, lambda: len(chat.messages) == 2 and not chat.is_answering)

    assert draw(still(), ask)
