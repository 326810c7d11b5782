"""Whoever asks registries: by which shell, for which declaration, and what was answered already."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tasks.declared.stack import Stack
from tasks.run.run import Run
from tasks.shell.host_shell import HostShell
from tasks.shell.local import Result


@dataclass
class Manifests:
    """What registries answered in this run, by kind and name."""

    answered: dict[tuple[str, str], Any] = field(default_factory=dict)


@dataclass(frozen=True)
class HostAsker:
    """Asks registries from a host; see Asker."""

    shell: HostShell
    stack: Stack
    manifests: dict[tuple[str, str], Any]

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        """Run a script on the host."""
        return self.shell.sh(script, stdin=stdin, timeout=timeout)


def asker_of(run: Run) -> HostAsker:
    """Return who asks registries for a run; each thing is asked once in it."""
    answered = run.seen.lasting(Manifests, Manifests).answered
    return HostAsker(run.shell, run.stack, answered)
