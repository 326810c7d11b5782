"""Long work behind a key: one verb of main.sh as a process of its own, with its output.

The app does what a person would type, so that there is one way to change things. A process outlives
a view that is left, can be ended as by Ctrl-C, and what it leaves the next converge mends.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, field

from tasks.layers import ROOT

KEPT_LINES = 2000
_PROGRESS = re.compile(r"(?P<share>\d{1,3}) %, .*")
_PREFIX = re.compile(r"^\s*\[[^\]]+\] ?")


@dataclass
class Job:
    """A verb at work. `status` is its exit status, None while it runs; `share` is 0 to 1."""

    words: tuple[str, ...]
    lines: list[str] = field(default_factory=list)
    share: float | None = None
    progress: str = ""
    status: int | None = None
    is_cancelled: bool = False
    _process: asyncio.subprocess.Process | None = None

    @property
    def title(self) -> str:
        """What a person would type."""
        return " ".join(self.words)

    @property
    def is_running(self) -> bool:
        """Tell whether it is at work."""
        return self.status is None

    @property
    def outcome(self) -> str:
        """Say how it stands, in a few words."""
        if self.is_running:
            return self.progress or "at work"
        if self.is_cancelled:
            return "cancelled; the next converge mends what it left"
        return "done" if self.status == 0 else f"failed ({self.status})"

    async def run(self, tell: Callable[[str], None]) -> int:
        """Do it; `tell` gets each line as it comes. Returns the exit status."""
        command = [str(ROOT / "main.sh"), *self.words]
        self._process = process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, "NO_COLOR": "1"},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        while raw := await process.stdout.readline():
            self.take(raw.decode(errors="replace").rstrip("\n"), tell)
        self.status = await process.wait()
        return self.status

    def take(self, line: str, tell: Callable[[str], None]) -> None:
        """Take a line of its output: kept, told, and read for progress."""
        line = line.rpartition("\r")[2].rstrip()
        text = _PREFIX.sub("", line)
        match = _PROGRESS.search(text)
        if match is not None:
            self.share, self.progress = int(match["share"]) / 100, match[0]
        del self.lines[: max(0, len(self.lines) - KEPT_LINES + 1)]
        self.lines.append(line)
        tell(line)

    def cancel(self) -> None:
        """End it as Ctrl-C would, with all that it started."""
        if self._process is None or not self.is_running:
            return
        self.is_cancelled = True
        os.killpg(self._process.pid, signal.SIGINT)
