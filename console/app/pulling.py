"""Choosing another model: typed, or found among what the registry offers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, Input, OptionList

from console.app.threads import beside
from console.app.words import Heading, Words
from console.looking.asker import asker_here
from console.looking.search import models, tags
from tasks.declared.references import ModelReference
from tasks.declared.stack import Service, Stack
from tasks.registry.manifests import Asker, RegistryFault
from tasks.words.printable import printable


@dataclass(frozen=True)
class Choice:
    """A model, and whether it becomes the main one of the service."""

    model: str
    is_main: bool


class Pull(ModalScreen[Choice | None]):
    """Asks for a model; the registry is asked for names in a thread, and may be silent."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "back"),
        Binding("ctrl+t", "change_use", "further or main"),
        Binding("down", "list", "to the list", show=False),
    ]

    def __init__(self, stack: Stack, service: Service) -> None:
        super().__init__()
        self.stack, self.service = stack, service
        self.names: list[str] = []
        self.tags: dict[str, list[str]] = {}
        self.is_main = False

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Heading(f"Another model for {self.service.name}")
            yield Input(
                placeholder="name:tag, or a part of a name to search for", select_on_focus=False
            )
            yield Words(key="as")
            yield Words("asking the registry what it offers …", key="said")
            yield OptionList(markup=False)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(Input).focus()
        self._show_use()
        beside(self, self._models, self._take_names)

    @cached_property
    def _asker(self) -> Asker:
        # First asked for in a thread: it may try sudo.
        return asker_here(self.stack)

    def _models(self) -> list[str] | RegistryFault:
        return models(self._asker)

    def _tags(self, name: str) -> list[str] | RegistryFault:
        return tags(self._asker, name)

    def _take_names(self, found: list[str] | RegistryFault) -> None:
        if isinstance(found, RegistryFault):
            self._say(f"{found.cause}; {found.remedy}")
            return
        self.names = found
        self._say(f"models on offer: {len(found)}; down, then Enter shows the tags of one")
        self._show()

    def _take_tags(self, name: str, found: list[str] | RegistryFault) -> None:
        if isinstance(found, RegistryFault):
            self._say(f"{found.cause}; {found.remedy}")
            return
        self.tags[name] = found
        self._say(f"tags of {name}: {len(found)}; down, then Enter pulls one")
        self._show()

    def _say(self, text: str) -> None:
        self.query_one("#said", Words).update(text)

    def _show(self) -> None:
        shown = self.query_one(OptionList)
        shown.clear_options()
        shown.add_options(map(printable, self.matching(self.query_one(Input).value.strip())))

    def matching(self, typed: str) -> list[str]:
        """Return what is offered of what was typed: names, or with a colon the tags of one."""
        name, colon, _ = typed.partition(":")
        offered = self.tags.get(name, []) if colon else self.names
        return [text for text in offered if typed in text]

    @on(Input.Changed)
    def search(self) -> None:
        """Show what matches."""
        self._show()

    @on(Input.Submitted)
    def take(self, event: Input.Submitted) -> None:
        """Take what was typed."""
        self._choose(event.value.strip())

    @on(OptionList.OptionSelected)
    def select(self, event: OptionList.OptionSelected) -> None:
        """Take what was chosen."""
        self._choose(str(event.option.prompt))

    def _choose(self, text: str) -> None:
        if text.endswith(":") and text[:-1] in self.tags:
            self.action_list()
            return
        if text in self.names:
            line = self.query_one(Input)
            line.value = f"{text}:"
            line.focus()
            line.action_end()
            beside(self, partial(self._tags, text), partial(self._take_tags, text))
            return
        try:
            model = str(ModelReference.parse(text))
        except ValueError as error:
            self._say(f"{text!r}: {error}")
            return
        self.dismiss(Choice(model, self.is_main))

    def action_change_use(self) -> None:
        """Make it the main model, or a further one."""
        self.is_main = not self.is_main
        self._show_use()

    def _show_use(self) -> None:
        main = f"It becomes the main one, instead of {self.service.model}"
        further = f"It becomes a further one, beside {self.service.model}"
        self.query_one("#as", Words).update(main if self.is_main else further)

    def action_list(self) -> None:
        """Go from the input to the first of the list."""
        shown = self.query_one(OptionList).focus()
        if shown.highlighted is None and shown.option_count:
            shown.highlighted = 0

    def action_leave(self) -> None:
        """Pull nothing."""
        self.dismiss(None)
