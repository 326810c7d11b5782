"""The views behind the main one: text, a log that goes on, a conversation, a question."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, Label, RichLog, Static

from console.app.jobs import Job
from console.chat import ChatFailed, Messages, answer
from tasks.stack import Service

BACK: list[BindingType] = [Binding("escape,q", "dismiss", "back")]


class Lines(ModalScreen[None]):
    """Some lines of text under a title."""

    BINDINGS = BACK

    def __init__(self, title: str, lines: Iterable[str]) -> None:
        super().__init__()
        self.heading, self.lines = title, list(lines)

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Label(self.heading, classes="heading")
            yield RichLog(wrap=True)
        yield Footer()

    def on_mount(self) -> None:
        log = self.query_one(RichLog)
        for line in self.lines:
            log.write(line)
        log.focus()


class Follow(ModalScreen[None]):
    """A log that goes on, from a blocking source in a thread."""

    BINDINGS = BACK

    def __init__(self, title: str, source: Callable[[threading.Event], Iterable[str]]) -> None:
        super().__init__()
        self.heading, self.source, self.ended = title, source, threading.Event()

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Label(self.heading, classes="heading")
            yield RichLog(wrap=True, max_lines=5000)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(RichLog).focus()
        threading.Thread(target=self._read, daemon=True).start()

    def on_unmount(self) -> None:
        self.ended.set()

    def _read(self) -> None:
        for line in self.source(self.ended):
            if self.ended.is_set() or not self.is_attached:
                return
            self.app.call_from_thread(self.query_one(RichLog).write, line)


class JobView(ModalScreen[None]):
    """What a job prints; leaving the view leaves the job at work."""

    BINDINGS: ClassVar[list[BindingType]] = [*BACK, Binding("x", "cancel", "cancel the work")]

    def __init__(self, job: Job) -> None:
        super().__init__()
        self.job = job

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Label(self.job.title, classes="heading")
            yield RichLog(wrap=True)
            yield Static("", id="outcome")
        yield Footer()

    def on_mount(self) -> None:
        for line in self.job.lines:
            self.query_one(RichLog).write(line)
        self.query_one(RichLog).focus()
        self.set_interval(0.2, self.refresh_outcome)
        self.refresh_outcome()

    def add(self, line: str) -> None:
        """Show a further line."""
        self.query_one(RichLog).write(line)

    def refresh_outcome(self) -> None:
        """Show how it stands."""
        self.query_one("#outcome", Static).update(self.job.outcome)

    def action_cancel(self) -> None:
        """End the work."""
        self.job.cancel()


class Ask(ModalScreen[str | None]):
    """One line of text, or nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "back")]

    def __init__(self, question: str, placeholder: str = "") -> None:
        super().__init__()
        self.question, self.placeholder = question, placeholder

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel small"):
            yield Label(self.question, classes="heading")
            yield Input(placeholder=self.placeholder)
        yield Footer()

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Give back what was typed."""
        self.dismiss(event.value.strip() or None)


class Confirm(ModalScreen[bool]):
    """A question before something is lost."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "yes"),
        Binding("n,escape", "no", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel small"):
            yield Label(self.question, classes="heading")
            yield Label("y: yes    n: no")
        yield Footer()

    def action_yes(self) -> None:
        self.dismiss(True)

    def action_no(self) -> None:
        self.dismiss(False)


class Chat(ModalScreen[None]):
    """A conversation with a service, streamed, with its rate."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "dismiss", "back")]

    def __init__(self, service: Service, limit: float) -> None:
        super().__init__()
        self.service, self.limit = service, limit
        self.messages: Messages = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Label(f"{self.service.name}: {self.service.model}", classes="heading")
            yield RichLog(wrap=True)
            yield Static("", id="answer")
            yield Input(placeholder="ask something")
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Submitted)
    def ask(self, event: Input.Submitted) -> None:
        """Send what was typed."""
        prompt = event.value.strip()
        if prompt:
            event.input.value = ""
            self.query_one(RichLog).write(f"> {prompt}")
            self.messages.append({"role": "user", "content": prompt})
            self.converse()

    @work(thread=True, exclusive=True)
    def converse(self) -> None:
        """Stream the answer."""
        text, rate, show = "", 0.0, self.query_one("#answer", Static)
        try:
            for piece, rate in answer(self.service, self.messages, self.limit):  # noqa: B007
                text += piece
                self.app.call_from_thread(show.update, text)
        except ChatFailed as failed:
            trouble = failed.trouble
            self.app.call_from_thread(show.update, f"{trouble.cause}\n{trouble.remedy}")
            return
        self.messages.append({"role": "assistant", "content": text})
        said = f"{text}\n({rate:.0f} tokens/s)" if rate else text
        self.app.call_from_thread(self.query_one(RichLog).write, said)
        self.app.call_from_thread(show.update, "")
