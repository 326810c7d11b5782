"""Whoever asks registries and servers from this machine, without a run of pyinfra."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from console.looking.host import shell_for
from tasks.declared.stack import Stack
from tasks.shell.local import LocalShell, Result


@dataclass
class LocalAsker:
    """Asks by this machine's shell; `manifests` keeps what registries answered."""

    stack: Stack
    shell: LocalShell
    manifests: dict[tuple[str, str], Any] = field(default_factory=dict)

    @classmethod
    def of(cls, stack: Stack) -> LocalAsker:
        """Make one for a declaration."""
        return cls(stack, shell_for(stack.docker_socket))

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        """Run a script."""
        return self.shell.sh(script, stdin=stdin, timeout=timeout)
