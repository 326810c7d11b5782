"""A conversation with a service, to try it: streamed, with its rate."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import click
import httpx
from ollama import ChatResponse, Client, ResponseError

from console.say import show, show_made
from console.words.streamed import Streamed
from console.words.trouble import Trouble
from tasks.declared.stack import Service

Messages = list[dict[str, str]]


class ChatFailed(Exception):
    """The service gave no answer; `trouble` tells cause and remedy."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble


def parts(service: Service, messages: Messages, limit: float) -> Iterator[ChatResponse]:
    """Yield what the server sends. `limit`: seconds that it may be silent. Raises ChatFailed."""
    client = Client(host=service.url, timeout=limit, trust_env=False)
    try:
        yield from client.chat(model=service.model, messages=messages, stream=True)
    except ResponseError as error:
        raise ChatFailed(
            Trouble(f"{service.name} says: {error.error}", "./main.sh doctor looks into it")
        ) from None
    except ValueError as error:
        raise ChatFailed(
            Trouble(
                f"{service.name} sent a damaged answer ({type(error).__name__})",
                f"./main.sh logs {service.name} tells more; is something else on its port?",
            )
        ) from None
    except (httpx.HTTPError, ConnectionError) as error:
        raise ChatFailed(
            Trouble(
                f"{service.name} does not answer at {service.url} ({error})",
                f"./main.sh activate {service.name} starts it; ./main.sh status shows what runs",
            )
        ) from None


def answer(service: Service, messages: Messages, limit: float) -> Iterator[tuple[str, float]]:
    """Yield pieces of the answer, and at last "" with its rate in tokens a second.

    `limit`: seconds that the server may be silent. Raises ChatFailed.
    """
    for part in parts(service, messages, limit):
        yield part.message.content or "", 0.0
        if part.done:
            yield "", rate_of(part)


def rate_of(last: ChatResponse) -> float:
    """Return tokens a second, 0 where the server tells none."""
    seconds = (last.eval_duration or 0) / 1e9
    return (last.eval_count or 0) / seconds if seconds else 0.0


def whole(service: Service, prompt: str, limit: float) -> dict[str, Any]:
    """Return the whole answer to a prompt, for programs. Raises ChatFailed."""
    text, tokens, rate = "", 0, 0.0
    for part in parts(service, [{"role": "user", "content": prompt}], limit):
        text += part.message.content or ""
        if part.done:
            tokens, rate = part.eval_count or 0, rate_of(part)
    return {
        "service": service.name,
        "model": service.model,
        "answer": text,
        "tokens": tokens,
        "tokens_per_second": round(rate, 1),
    }


def ask(service: Service, prompt: str, limit: float, before: Messages) -> Messages:
    """Print the answer to a prompt as it comes; returns the conversation with it."""
    messages = [*before, {"role": "user", "content": prompt}]
    text, rate, shown = "", 0.0, Streamed(is_prose=True)
    for piece, rate in answer(service, messages, limit):  # noqa: B007 (the last rate counts)
        text += piece
        show_made(shown.take(piece), end="")
    show_made(shown.end())
    if rate and sys.stderr.isatty():
        show_made(click.style(f"{rate:.0f} tokens/s", dim=True), err=True)
    return [*messages, {"role": "assistant", "content": text}]


def converse(service: Service, limit: float) -> None:
    """Ask for prompts until there are no more (Ctrl-D)."""
    show(f"{service.name}: {service.model}. Ctrl-D ends.", err=True)
    messages: Messages = []
    while True:
        try:
            prompt = input("> ")
        except EOFError:
            show()
            return
        if prompt.strip():
            messages = ask(service, prompt, limit, messages)
