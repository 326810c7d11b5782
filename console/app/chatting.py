"""A conversation with a service, to try it."""

from __future__ import annotations

import threading
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, RichLog

from console.app.text import Back
from console.app.threads import is_open, tell
from console.app.words import Heading, Words
from console.using.chat import ChatFailed, Messages, answer
from console.words.safe import safe_lines
from console.words.trouble import Trouble, fault
from tasks.declared.stack import Service

THINKING = "…"


class Chat(Back):
    """Streamed answers with their rate; leaving ends an answer that is under way."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "back")]

    def __init__(self, service: Service, limit: float) -> None:
        super().__init__()
        self.service, self.limit = service, limit
        self.messages: Messages = []
        self.is_answering = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            title = f"{self.service.name}: {self.service.model}"
            yield Heading(title)
            yield RichLog(wrap=True, min_width=20)
            yield Words(key="answer", is_prose=True)
            yield Input(placeholder="ask something")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def ask(self, event: Input.Submitted) -> None:
        """Send what was typed, unless an answer is under way."""
        prompt = event.value.strip()
        if not prompt or self.is_answering:
            return
        event.input.value = ""
        self.is_answering = True
        self._write(f"> {prompt}")
        self._show(THINKING)
        self.messages.append({"role": "user", "content": prompt})
        threading.Thread(target=self._converse, daemon=True, name="chat").start()

    def _converse(self) -> None:
        app, text, rate = self.app, "", 0.0
        try:
            for piece, told in answer(self.service, self.messages, self.limit):
                if not is_open(self):
                    return
                text, rate = text + piece, told
                tell(app, self._show, text)
        except ChatFailed as failed:
            self._take_back(failed.trouble)
            return
        except Exception as error:
            self._take_back(fault(error))
            return
        self.messages.append({"role": "assistant", "content": text})
        tell(app, self._end, f"{text}\n({rate:.0f} tokens/s)" if rate else text)

    def _take_back(self, trouble: Trouble) -> None:
        """Say why there is no answer; the question does not count, and can be asked again."""
        self.messages.pop()
        tell(self.app, self._end, f"{trouble.cause}\n  remedy: {trouble.remedy}")

    def _end(self, text: str) -> None:
        self.is_answering = False
        if is_open(self):
            self._write(text)
            self._show("")

    def _write(self, text: str) -> None:
        self.query_one(RichLog).write(safe_lines(text, is_prose=True))

    def _show(self, text: str) -> None:
        if is_open(self):
            self.query_one("#answer", Words).update(text)
