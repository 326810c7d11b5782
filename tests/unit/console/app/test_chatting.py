"""A conversation: an invented server answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, RichLog, Static

from console.app import chatting
from console.app.chatting import THINKING, Chat
from console.using import chat as plain
from console.using.chat import ChatFailed, answer
from console.words.trouble import Trouble
from tests.unit.console.app.samples import shown, still, until
from tests.unit.tasks.samples import stack

LIMIT = 20


async def opened(pilot: Pilot[None]) -> Chat:
    app = await shown(pilot)
    await pilot.press("t")
    await until(pilot, lambda: isinstance(app.screen, Chat))
    assert isinstance(app.screen, Chat)
    return app.screen


async def asking(pilot: Pilot[None], chat: Chat, text: str) -> None:
    chat.query_one(Input).value = text
    await pilot.press("enter")


def said(chat: Chat) -> str:
    return "\n".join(strip.text.rstrip() for strip in chat.query_one(RichLog).lines)


async def test_answers_come_in_pieces_one_at_a_time_and_are_remembered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go, seen = threading.Event(), list[Any]()

    def slow(service: Any, messages: Any, limit: float) -> Iterator[tuple[str, float]]:
        seen.append([message["content"] for message in messages])
        yield "one ", 0.0
        go.wait(LIMIT)
        yield "two", 0.0
        yield "", 41.0

    monkeypatch.setattr(chatting, "answer", slow)
    async with still().run_test() as pilot:
        chat = await opened(pilot)
        await asking(pilot, chat, "first q")
        await until(pilot, lambda: chat.query_one("#answer", Static).content == "one ")
        await asking(pilot, chat, "too early")
        go.set()
        await until(pilot, lambda: not chat.is_answering)
        assert said(chat) == "> first q\none two\n(41 tokens/s)"
        await asking(pilot, chat, "second")
        await until(pilot, lambda: len(chat.messages) == 4)
    assert seen == [["first q"], ["first q", "one two", "second"]]


async def test_why_there_is_no_answer_is_said_and_one_can_ask_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def failing(*_: Any) -> Iterator[tuple[str, float]]:
        raise ChatFailed(Trouble("qwen does not answer", "./main.sh activate qwen"))
        yield

    monkeypatch.setattr(chatting, "answer", failing)
    async with still().run_test() as pilot:
        chat = await opened(pilot)
        await asking(pilot, chat, "hello")
        await until(pilot, lambda: "remedy: ./main.sh activate qwen" in said(chat))
        assert (chat.messages, chat.is_answering) == ([], False)
        assert chat.query_one("#answer", Static).content != THINKING


async def test_letters_are_typed_and_escape_leaves_an_answer_that_never_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, ended = threading.Event(), threading.Event()

    def endless(*_: Any) -> Iterator[tuple[str, float]]:
        try:
            while True:
                asked.set()
                yield "more ", 0.0
        finally:
            ended.set()

    monkeypatch.setattr(chatting, "answer", endless)
    async with still().run_test() as pilot:
        chat = await opened(pilot)
        await pilot.press(*"quit", "enter")
        assert pilot.app.screen is chat
        await until(pilot, asked.is_set)
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is not chat)
        await until(pilot, ended.is_set)


def test_an_answer_that_is_none_has_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(*_: Any, **__: Any) -> Iterator[Any]:
        raise ValueError("Expecting value")
        yield

    monkeypatch.setattr(plain.Client, "chat", damaged)
    with pytest.raises(ChatFailed) as caught:
        list(answer(stack().services[0], [], LIMIT))
    assert caught.value.trouble.cause == "qwen sent a damaged answer (ValueError)"


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        nobody = stack(models={"qwen": {"port": port}}).services[0]
        with pytest.raises(ChatFailed) as caught:
            list(answer(nobody, [], LIMIT))
    assert f"qwen does not answer at http://127.0.0.1:{port}" in caught.value.trouble.cause
