"""One run on one host: its declaration, the way to it, and what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from tasks.declared.stack import Stack
from tasks.records.held import Held
from tasks.run.decided import Decided
from tasks.run.seen import Seen
from tasks.run.teller import Screen, Teller
from tasks.shell.host_shell import HostShell


@dataclass
class Run:
    """What the stages of one run on one host share; each part has a page of its own."""

    shell: HostShell
    stack: Stack
    held: Held
    teller: Teller
    seen: Seen = field(default_factory=Seen)
    decided: Decided = field(default_factory=Decided)

    @classmethod
    def on(cls, shell: HostShell, screen: Screen, stack: Stack) -> Run:
        """Return a run of which nothing is known yet."""
        return cls(shell, stack, Held(shell.name), Teller(shell.name, screen))
