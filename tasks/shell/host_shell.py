"""The way to one host: its name, its shell, and whether root is needed there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from tasks.shell.local import Result, Shell

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Pending(Protocol[T_co]):
    """Work that goes on beside the run. `wait` returns what it gave, None where that takes longer
    than some seconds."""

    def is_done(self) -> bool:
        """Tell whether it has ended."""

    def wait(self, seconds: float | None = None) -> T_co | None:
        """Wait for its end. None where it has not ended by then."""


class HostShell(Protocol):
    """Whoever carries scripts out on one host. `sudo` tells whether changes need root's rights."""

    sudo: bool

    @property
    def name(self) -> str:
        """The host's name in the inventory."""

    def sh(
        self,
        script: str,
        *,
        stdin: str | None = None,
        timeout: float | None = 60,
        sudo: bool | None = None,
    ) -> Result:
        """Run a script, with sudo where this user needs it, or as asked. `timeout` is in seconds.

        Whatever is secret goes through `stdin`, which nothing prints.
        """

    def as_caller(self) -> Shell:
        """Return the shell of the user who runs this, without sudo."""

    def beside(self, work: Callable[[], T]) -> Pending[T]:
        """Begin work that goes on while the run does."""
