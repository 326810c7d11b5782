"""What runs and the console changed and why, as lines of a log file beside the database.

A line is written when something was changed or failed, and never else: a run without changes
leaves the file as it is.
"""

from __future__ import annotations

import getpass
import logging
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tasks.declared.layers import rooted
from tasks.declared.stack import Stack
from tasks.records.logfile import logger_of
from tasks.records.scrub import Scrubber, scrubber_for
from tasks.words.failures import Failure
from tasks.words.printable import WHOLE, printable

if TYPE_CHECKING:
    from tasks.words.steps import Event

# The environment variable by which the console tells a run what a person typed.
TYPED = "OLLAMA_STACK_TYPED"


def log_path(stack: Stack) -> Path | None:
    """Return where the log is; a relative path counts from the database's folder. None: off."""
    return log_beside(stack.database, stack.log_file)


def log_beside(database: str, log_file: str) -> Path | None:
    """Return where the log is by these two settings."""
    return rooted(database).parent / log_file if log_file else None


def user() -> str:
    """Name who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"UID {os.getuid()}"


def typed() -> str:
    """Return the command of this process, and what a person typed to get it."""
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    asked = os.environ.get(TYPED)
    return f"{command} for {asked}" if asked else command


@dataclass
class LogFile:
    """The log file of a stack, for one writer. Secrets never reach it.

    `warn` is told, once, where the file cannot be written.
    """

    stack: Stack
    writer: str
    warn: Callable[[str], None]
    is_broken: bool = False

    @cached_property
    def scrubber(self) -> Scrubber:
        """Knows what the declaration holds as secrets."""
        return scrubber_for(self.stack.model_dump())

    def write(self, text: str, level: int = logging.INFO) -> None:
        """Write a line; never fails."""
        path = log_path(self.stack)
        if path is None or self.is_broken:
            return
        # Scrubbed again where an escape stood in the middle of a secret.
        scrub = self.scrubber.text
        line = printable(" ".join(scrub(printable(scrub(text), WHOLE)).split()))
        try:
            logger_of(path).log(level, "%s %s", printable(self.writer), line)
        except OSError as error:
            self.is_broken = True
            self.warn(f"the log {path} cannot be written ({error.strerror}); the run goes on")


@dataclass
class RunLog:
    """What one run changes on one host: its beginning with the first line, and its end."""

    file: LogFile
    changes: int = 0
    failures: int = 0
    has_begun: bool = False
    has_ended: bool = field(default=False, repr=False)

    @classmethod
    def of(cls, stack: Stack, run_id: str, host: str, warn: Callable[[str], None]) -> RunLog:
        """Return the log of a run; nothing is written yet."""
        return cls(LogFile(stack, f"{run_id} {host}", warn))

    def changed(self, event: Event) -> None:
        """Write down a change that was made."""
        self._begin()
        self.changes += 1
        who = f"{event.service}: " if event.service else ""
        why = f" ({event.why})" if event.why else ""
        self.file.write(f"{who}{event.action} {event.subject}{why}")

    def failed(self, failure: Failure) -> None:
        """Write down what failed."""
        self._begin()
        self.failures += 1
        # Not its lines: what is cut may end in half a secret.
        who = f"{failure.service}: " if failure.service else ""
        words = f"{who}{failure.what}; cause: {failure.cause}; remedy: {failure.remedy}"
        self.file.write(words, logging.ERROR)

    def end(self, how: str = "") -> None:
        """Write down how it ended, once."""
        if not self.has_begun or self.has_ended:
            return
        self.has_ended = True
        outcome = how or ("failed" if self.failures else "done")
        self.file.write(f"end: {outcome}, changes: {self.changes}, failures: {self.failures}")

    def _begin(self) -> None:
        if self.has_begun:
            return
        self.has_begun = True
        self.file.write(f"begin: {typed()} (PID {os.getpid()} of {user()})")
