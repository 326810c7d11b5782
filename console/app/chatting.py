"""A conversation with a service, to try it."""

from __future__ import annotations

import threading
from typing import ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Footer, Input, Label, RichLog, Static

from console.app.text import Back
from console.app.threads import is_open, tell
from console.chat import ChatFailed, Messages, answer
from tasks.stack import Service

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
            yield Label(title, classes="heading", markup=False)
            yield RichLog(wrap=True, min_width=20)
            yield Static("", id="answer", markup=False)
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
            self.messages.pop()
            tell(app, self._end, f"{failed.trouble.cause}\n  remedy: {failed.trouble.remedy}")
            return
        self.messages.append({"role": "assistant", "content": text})
        tell(app, self._end, f"{text}\n({rate:.0f} tokens/s)" if rate else text)

    def _end(self, text: str) -> None:
        self.is_answering = False
        if is_open(self):
            self._write(text)
            self._show("")

    def _write(self, text: str) -> None:
        self.query_one(RichLog).write(Text(text))

    def _show(self, text: str) -> None:
        if is_open(self):
            self.query_one("#answer", Static).update(text)
