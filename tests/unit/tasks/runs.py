"""Runs for tests: the real Run, with a shell that answers as told and a screen that keeps lines."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, cast

from tasks.declared.stack import Stack
from tasks.run.run import Run
from tasks.shell.host_shell import HostShell
from tasks.shell.local import LocalShell, Result
from tests.fake.parts import Beside, KeptScreen
from tests.unit.tasks import samples

T = TypeVar("T")
HOST = "ws1"
WORKED = Result(True, "", "")


@dataclass(frozen=True)
class Asked:
    """A script that a shell was given, and how."""

    script: str
    stdin: str
    timeout: float | None
    sudo: bool | None


Answers = Mapping[str, Result] | Callable[[Asked], Result]


@dataclass
class SaidShell:
    """A HostShell that answers by parts of scripts, the first that is in it, or by a function.

    What nothing answers worked and said nothing.
    """

    answers: Answers = field(default_factory=dict)
    name: str = HOST
    sudo: bool = False
    asked: list[Asked] = field(default_factory=list)

    def sh(
        self,
        script: str,
        *,
        stdin: str | None = None,
        timeout: float | None = 60,
        sudo: bool | None = None,
    ) -> Result:
        asked = Asked(script, stdin or "", timeout, sudo)
        self.asked.append(asked)
        if callable(self.answers):
            return self.answers(asked)
        return next((told for part, told in self.answers.items() if part in script), WORKED)

    def as_caller(self) -> SaidShell:
        return replace(self, sudo=False)

    def beside(self, work: Callable[[], T]) -> Beside[T]:
        return Beside(work)

    @property
    def scripts(self) -> list[str]:
        """The scripts so far."""
        return [asked.script for asked in self.asked]


def here(asked: Asked) -> Result:
    """Answer as the shell of this machine."""
    return LocalShell().sh(asked.script, stdin=asked.stdin, timeout=asked.timeout)


def run_on(shell: HostShell | None = None, stack: Stack | None = None, **parts: Any) -> Run:
    """Return a run on a shell, of the sample stack where no other is given; `parts` are fields."""
    made = Run.on(shell or SaidShell(), KeptScreen(), stack or samples.stack())
    return replace(made, **parts)


def lines_of(run: Run) -> list[str]:
    """Return the lines that a run showed."""
    return cast(KeptScreen, run.teller.screen).lines
