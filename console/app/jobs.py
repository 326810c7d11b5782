"""Long work behind a key: what a person would type, as a process of its own, with its output.

So there is one way to change things. The process outlives a view that is left, can be ended as by
Ctrl-C, and what it leaves the next converge mends.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tasks.declared.layers import ROOT
from tasks.words.printable import WHOLE, printable

KEPT_LINES = 2000
# What a longer line has is told as further lines.
LONGEST_LINE = 1024**2
CHUNK = 64 * 1024
# What ends a job, the first time that is asked for, the second and from then on.
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_PROGRESS = re.compile(r"(?P<share>\d{1,3}) %, .*")
_HOST = re.compile(r"^\s*\[[^\]]+\] ?")


@dataclass
class Job:
    """A command at work. `status` is its exit status, None while it runs; `share` is 0 to 1."""

    title: str
    words: list[str]
    lines: list[str] = field(default_factory=list)
    share: float | None = None
    progress: str = ""
    status: int | None = None
    cancels: int = 0
    _process: asyncio.subprocess.Process | None = None

    @property
    def is_running(self) -> bool:
        """Tell whether it is at work."""
        return self.status is None

    @property
    def is_bad(self) -> bool:
        """Tell whether it failed by itself."""
        return bool(self.status) and not self.cancels

    @property
    def outcome(self) -> str:
        """Say how it stands, in a few words."""
        if self.is_running:
            return "being cancelled …" if self.cancels else self.progress or "at work …"
        if self.cancels and self.status:
            return "cancelled; the next converge mends what it left"
        return "done" if self.status == 0 else f"failed (exit status {self.status})"

    async def run(self, tell: Callable[[str], None]) -> int:
        """Do it; `tell` gets each line as it comes. Returns the exit status."""
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self.words,
                cwd=ROOT,
                env={**os.environ, "NO_COLOR": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            self.take(f"{self.words[0]} cannot be started: {error.strerror}", tell)
            self.status = 1
            return self.status
        if process.stdout is not None:
            async for raw in _lines(process.stdout):
                self.take(raw.decode(errors="replace"), tell)
        self.status = await process.wait()
        return self.status

    def take(self, line: str, tell: Callable[[str], None]) -> None:
        """Take a line of its output: kept, told, and read for progress."""
        line = printable(line.rstrip().rpartition("\r")[2], WHOLE)
        match = _PROGRESS.search(line)
        self.share = min(int(match["share"]) / 100, 1.0) if match is not None else None
        self.progress = match[0] if match is not None else _HOST.sub("", line).strip()
        del self.lines[: max(0, len(self.lines) - KEPT_LINES + 1)]
        self.lines.append(line)
        tell(line)

    def cancel(self) -> None:
        """End it as Ctrl-C would, with all that it started; asked again, with more emphasis."""
        if self._process is None or not self.is_running:
            return
        signum = SIGNALS[min(self.cancels, len(SIGNALS) - 1)]
        self.cancels += 1
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signum)


async def _lines(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Yield lines without their ends, however long they are."""
    rest = b""
    while chunk := await stream.read(CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > LONGEST_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest
