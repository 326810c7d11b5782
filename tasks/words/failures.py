"""What did not work, as one value; and the exception that carries it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

from tasks.words.printable import printable


@dataclass(frozen=True)
class Failure:
    """Something that did not work: what, the cause and the remedy, in words of the user.

    `what` is empty where only whoever carries a failure on can name it.
    """

    what: str
    cause: str
    remedy: str
    service: str = ""

    def lines(self) -> list[str]:
        """Return the failure as three lines for people, whoever wrote its words."""
        who = f"{self.service}: " if self.service else ""
        lines = (f"{who}{self.what}", f"  cause:  {self.cause}", f"  remedy: {self.remedy}")
        return [printable(line) for line in lines]


class Failed(Exception):
    """Something did not work. Raised where cause and remedy are known; carries the failure."""

    def __init__(self, cause: str, remedy: str, what: str = "") -> None:
        self.failure = Failure(what, cause, remedy)
        super().__init__(cause)

    @classmethod
    def of(cls, failure: Failure) -> Self:
        """Return the exception that carries the cause and the remedy of a failure."""
        return cls(failure.cause, failure.remedy, failure.what)

    @property
    def cause(self) -> str:
        """Why it did not work."""
        return self.failure.cause

    @property
    def remedy(self) -> str:
        """What a person can do about it."""
        return self.failure.remedy

    def named(self, what: str, service: str = "") -> Failure:
        """Return the failure as that of a thing, of a service or of the host."""
        return replace(self.failure, what=what, service=service)


class StepFailed(Failed):
    """A step failed. Caught where the step is run."""
