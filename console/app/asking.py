"""Questions: yes or no, and one of many commands."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Label, OptionList
from textual.widgets.option_list import Option

from console.app.commands import Command, key_name
from console.app.words import Heading


class Confirm(ModalScreen[bool]):
    """A question before something is lost."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape", "answer(False)", "no"),
    ]

    def __init__(self, question: str) -> None:
        super().__init__()
        self.question = question

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel small"):
            yield Heading(self.question)
            yield Label("y: yes    n: no")
        yield Footer()

    def action_answer(self, is_meant: bool) -> None:
        """Give the answer."""
        self.dismiss(is_meant)


class Menu(ModalScreen[str | None]):
    """What can be done, to choose from; gives the action."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "leave", "back")]

    def __init__(self, title: str, commands: list[Command]) -> None:
        super().__init__()
        self.heading, self.commands = title, commands

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Heading(self.heading)
            yield OptionList(*(_option(command) for command in self.commands), markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(OptionList).focus()

    @on(OptionList.OptionSelected)
    def choose(self, event: OptionList.OptionSelected) -> None:
        """Give the action that was chosen."""
        self.dismiss(event.option.id)

    def action_leave(self) -> None:
        """Choose nothing."""
        self.dismiss(None)


def _option(command: Command) -> Option:
    text = f"{key_name(command):<6} {command.name:<16} {command.does}"
    return Option(text, id=command.action)
