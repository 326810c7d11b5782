"""Choosing another model: offered, typed, or refused in words."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, OptionList, Static

from console.app import pulling
from console.app.app import StackApp
from console.app.pulling import Choice, Pull
from tasks.registry.manifests import RegistryFault
from tests.unit.console.app.samples import STACK, shown, still, until

SILENT = RegistryFault("the registry does not answer (no answer)", "check the network")
NAMES = ["mistral", "mistral-small", "qwen2.5-coder"]
TAGS = ["mistral:7b", "mistral:7b-instruct", "mistral:latest"]


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Give the answers of a registry, to be changed."""
    answers: dict[str, Any] = {"models": NAMES, "tags": TAGS}
    monkeypatch.setattr(pulling, "models", lambda _: answers["models"])
    monkeypatch.setattr(pulling, "tags", lambda *_: answers["tags"])
    return answers


async def opened(pilot: Pilot[None], chosen: list[Choice | None]) -> Pull:
    """Open the view; what it gives is put into a list."""
    app = await shown(pilot)
    screen = Pull(STACK, STACK.services[2])
    app.push_screen(screen, chosen.append)
    await until(pilot, lambda: app.screen is screen and "asking" not in words(screen))
    return screen


def words(screen: Pull) -> str:
    return str(screen.query_one("#said", Static).content)


def offered(screen: Pull) -> list[str]:
    return [str(option.prompt) for option in screen.query_one(OptionList).options]


def test_what_was_typed_is_matched_with_names_and_after_a_colon_with_tags() -> None:
    screen = Pull(STACK, STACK.services[2])
    screen.names, screen.tags = NAMES, {"mistral": TAGS}
    assert screen.matching("") == NAMES
    assert screen.matching("mis") == ["mistral", "mistral-small"]
    assert screen.matching("mistral:") == TAGS
    assert screen.matching("mistral:7b") == TAGS[:2]
    assert screen.matching("qwen2.5-coder:") == []
    assert screen.matching("[/]") == []


async def test_a_name_shows_its_tags_and_a_tag_is_taken(registry: dict[str, Any]) -> None:
    chosen: list[Choice | None] = []
    async with still().run_test() as pilot:
        screen = await opened(pilot, chosen)
        assert offered(screen) == NAMES
        await pilot.press("down", "enter")
        await until(pilot, lambda: offered(screen) == TAGS)
        assert screen.query_one(Input).value == "mistral:"
        assert words(screen) == "tags of mistral: 3; down, then Enter pulls one"
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: bool(chosen))
    assert chosen == [Choice("mistral:7b-instruct", is_main=False)]


async def test_a_silent_registry_says_so_and_what_is_typed_is_taken(
    registry: dict[str, Any],
) -> None:
    registry["models"] = SILENT
    chosen: list[Choice | None] = []
    async with still().run_test() as pilot:
        screen = await opened(pilot, chosen)
        assert words(screen) == "the registry does not answer (no answer); check the network"
        await pilot.press("ctrl+t", *"tiny", "enter")
        await until(pilot, lambda: bool(chosen))
    assert chosen == [Choice("tiny:latest", is_main=True)]


async def test_tags_that_nobody_tells_can_be_typed(registry: dict[str, Any]) -> None:
    registry["tags"] = SILENT
    chosen: list[Choice | None] = []
    async with still().run_test() as pilot:
        screen = await opened(pilot, chosen)
        await pilot.press(*"mistral", "enter")
        await until(pilot, lambda: "does not answer" in words(screen))
        await pilot.press("end", *"7b", "enter")
        await until(pilot, lambda: bool(chosen))
    assert chosen == [Choice("mistral:7b", is_main=False)]


async def test_what_is_no_model_is_said_to_be_none(registry: dict[str, Any]) -> None:
    chosen: list[Choice | None] = []
    async with still().run_test() as pilot:
        screen = await opened(pilot, chosen)
        for text in ("", "a b:c", "mistral:", "x:y:z", "../etc:1"):
            screen.query_one(Input).value = text
            await pilot.press("enter")
            await until(pilot, lambda text=text: words(screen).startswith(f"{text!r}: should be"))
        assert chosen == []
        await pilot.press("escape")
        await until(pilot, lambda: bool(chosen))
    assert chosen == [None]


async def test_it_says_what_becomes_of_the_model(registry: dict[str, Any]) -> None:
    async with still().run_test() as pilot:
        screen = await opened(pilot, [])
        use = screen.query_one("#as", Static)
        assert use.content == "It becomes a further one, beside mistral:7b"
        await pilot.press("ctrl+t")
        assert use.content == "It becomes the main one, instead of mistral:7b"
        assert isinstance(pilot.app, StackApp)
