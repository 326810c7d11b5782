"""What a bundle is made from, also where the declaration is invalid."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from console.bundle.unparsed import unparsed_secrets
from console.checks.looked import Looked
from console.looking.host import shell_for
from tasks.containers.observed import STACK_LABEL
from tasks.declared.layers import Merged, defaults_layer, local_layers, rooted, stack_file
from tasks.declared.stack import DeclarationError, Stack, declare
from tasks.docker_engine.daemon_json import Refused, parse
from tasks.records.scrub import Scrubber, scrubber_for, secrets_in
from tasks.shell.engine_api import ask, engine, with_label
from tasks.shell.local import LocalShell
from tasks.words.foreign import BadAnswer
from tasks.words.printable import WHOLE, printable_lines
from tasks.words.toml import parse_toml


class NotThere(Exception):
    """A part of the bundle cannot be had; the text says why."""


@dataclass
class Place:
    """This installation; `merged` are its settings as they are written, valid or not.

    `stack` is None, and `fault` says why, where they are not.
    """

    merged: Merged = field(default_factory=local_layers)
    stack: Stack | None = None
    fault: str = ""

    @classmethod
    def here(cls) -> Place:
        """Return this installation."""
        merged = local_layers()
        try:
            return cls(merged, declare(merged))
        except DeclarationError as error:
            return cls(merged, None, str(error))

    def text(self, setting: str) -> str:
        """Return a setting that is a text; its default where it is none."""
        value = self.merged.values.get(setting)
        return value if isinstance(value, str) else str(defaults_layer().values[setting])

    @property
    def database(self) -> Path:
        """The database."""
        return rooted(self.text("database"))

    @cached_property
    def looked(self) -> Looked:
        """This machine, as the doctor sees it. Raises NotThere."""
        if self.stack is None:
            raise NotThere("the declaration is invalid (see declaration-faults.txt)")
        return Looked(self.stack)

    @cached_property
    def shell(self) -> LocalShell:
        """The shell by which Docker is asked."""
        return shell_for(self.socket)

    @property
    def socket(self) -> str:
        """The engine's socket."""
        return self.text("docker_socket")

    def ask(self, path: str, query: dict[str, object] | None = None) -> Any:
        """Ask the engine for JSON. Raises NotThere."""
        answer = ask(self.shell, engine(path, query), socket=self.socket)
        if not answer.ok or answer.json is None:
            raise NotThere(f"Docker does not tell at {self.socket}: {answer.message}")
        return answer.json

    @cached_property
    def containers(self) -> list[dict[str, Any]]:
        """Our containers, as the engine shows each. Raises NotThere."""
        ours = with_label(STACK_LABEL, self.text("container_prefix"))
        listed = self.ask("/containers/json", {"all": 1, "filters": ours})
        return [self.ask(f"/containers/{one['Id']}/json") for one in listed]

    @cached_property
    def scrubber(self) -> Scrubber:
        """Knows the secrets of the declaration, of the containers, of daemon.json and of ours."""
        known: list[Any] = [self.merged.values, dict(defaults_layer().values)]
        known.append({n: v for n, v in os.environ.items() if n.lower().endswith("_proxy")})
        # Where nobody tells of the containers, nothing of theirs is in the bundle either.
        with suppress(NotThere):
            known.append(self.containers)
        if self.stack is not None:
            try:
                known.append(parse(self.looked.engine.daemon_json))
            except Refused:
                known.append(self.looked.engine.daemon_json)
        scrubber = scrubber_for(*known)
        return Scrubber(scrubber.known | frozenset(self._unparsed()))

    def scrubbed(self, text: str) -> str:
        """Return a text without secrets, and printable; no escape in its middle hides one."""
        clean = self.scrubber.text(text)
        shown = printable_lines(clean, WHOLE)
        return clean if shown == clean else self.scrubber.text(shown)

    @staticmethod
    def _unparsed() -> Iterator[str]:
        """Yield what may be a secret in a stack.toml that nobody can parse."""
        if not stack_file().is_file():
            return
        text = stack_file().read_text(encoding="utf-8", errors="replace")
        try:
            parse_toml(text)
        except BadAnswer:
            yield from unparsed_secrets(text)
            yield from secrets_in(text.splitlines())
