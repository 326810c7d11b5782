"""The way to a host's shell: through pyinfra's connector on a converge, a subprocess elsewhere."""

from __future__ import annotations

import logging
import shlex
import subprocess
import time
from dataclasses import dataclass
from typing import Protocol

from tasks.shell.answers import answers

# Who runs scripts says so here, and what they asked by HTTP; only `-v` of the console listens.
TRACE = logging.getLogger("ollama_stack")


@dataclass(frozen=True)
class Result:
    """What a shell command on the host gave. `stdout` keeps its lines, without the last newline."""

    ok: bool
    stdout: str
    stderr: str

    @property
    def last_words(self) -> str:
        """The last line that says anything: of stderr, else of stdout."""
        lines = (self.stderr or self.stdout).strip().splitlines()
        return lines[-1] if lines else "it said nothing"


class Shell(Protocol):
    """Whoever runs shell scripts on a host. `timeout` is in seconds."""

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        """Run a script; secrets go through `stdin`."""


class LocalShell:
    """The shell of this machine, as the user who asks, or with a sudo that asks for nothing."""

    def __init__(self, *, sudo: bool = False) -> None:
        self.words = ["sudo", "-n", "sh", "-c"] if sudo else ["sh", "-c"]

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        """Run a script."""
        begun = time.monotonic()
        found = self._run(script, stdin, timeout)
        if TRACE.isEnabledFor(logging.DEBUG):
            _trace(script, found, time.monotonic() - begun)
        return found

    def _run(self, script: str, stdin: str | None, timeout: float | None) -> Result:
        try:
            done = subprocess.run(
                [*self.words, script],
                input=stdin or "",
                text=True,
                capture_output=True,
                timeout=timeout,
                check=False,
                errors="replace",
            )
        except subprocess.TimeoutExpired:
            return Result(False, "", f"no answer within {timeout:.0f} s")
        return Result(done.returncode == 0, done.stdout.rstrip("\n"), done.stderr.strip())


def _trace(script: str, found: Result, seconds: float) -> None:
    TRACE.debug("%s in %.2f s: %s", "ran" if found.ok else "failed", seconds, script)
    for answer in answers(found.stdout).values():
        TRACE.debug("  HTTP %d %s", answer.status, answer.url)


def quote(*words: object) -> str:
    """Quote words for the shell."""
    return shlex.join(str(word) for word in words)
