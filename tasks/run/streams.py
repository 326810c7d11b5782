"""Long work of a server, told as NDJSON: started on the host, watched from here.

A pull runs as a background curl on the host that writes into a file; the controller reads the bytes
that were added since the last look. That works through every connector, shows progress while it
happens and bounds a stall. It holds the host's lock, and ends when the controller looks no more: a
pull that went on after a kill would move a tag behind the back of the next run.
"""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tasks.run.hostfolder import BUSY
from tasks.run.hostlock import under_lock
from tasks.run.run import Run
from tasks.shell.curl import enveloped, opened
from tasks.words.foreign import MIB, BadAnswer, Fields, read_json
from tasks.words.numbers import progress_text
from tasks.words.printable import printable

POLL_SECONDS = 0.5
SHOW_SECONDS = 3.0
# A finished stream's folder removes itself after this many seconds.
LINGER_SECONDS = 600
# A stream at which nobody looks for so long is abandoned, and ends.
UNWATCHED_SECONDS = 20
# What is read at one look, the longest line of a stream, and all of it: a day of progress.
CHUNK = MIB
LONGEST_LINE = MIB // 4
LONGEST_STREAM = 256 * MIB
LAST_WORDS = 4096
# How a shell counts in `ulimit -f`, and what curl ends with where it wrote more.
BLOCK = 512
TOO_MUCH = ("153", "23")
_FOLDER = re.compile(r"/tmp/ollama-stack\.[A-Za-z0-9]+")


@dataclass
class Progress:
    """What a stream told so far; pulls of models and of images differ in their lines only.

    `layers` are bytes so far and in all, by layer; `phase` is the server's word for what it does;
    `noise` is the last line that was no JSON.
    """

    error: str = ""
    noise: str = ""
    phase: str = ""
    layers: dict[str, tuple[int, int]] = field(default_factory=dict)

    def feed(self, line: dict[str, Any]) -> None:
        """Take in one line. An error stays, whatever else is odd about its line."""
        if line.get("error"):
            self.error = printable(line["error"])
        self.phase = printable(line.get("status", self.phase), 200)
        try:
            self.count(Fields(line))
        except BadAnswer:
            # It says nothing of how far it is.
            return

    def count(self, line: Fields) -> None:
        """Take in how far a layer is. Raises BadAnswer."""

    @property
    def done(self) -> int:
        """Bytes so far."""
        return sum(done for done, _ in self.layers.values())

    @property
    def total(self) -> int:
        """Bytes of the layers begun so far."""
        return sum(total for _, total in self.layers.values())


class ModelProgress(Progress):
    """Progress of Ollama's /api/pull: `status, digest, total, completed`, one layer at a time."""

    def count(self, line: Fields) -> None:
        """Take in how far a layer is; `completed` may be absent."""
        digest = line.text("digest")
        if digest and "total" in line.value:
            self.layers[digest] = (line.size("completed"), line.size("total"))


class ImageProgress(Progress):
    """Progress of the engine's POST /images/create: `status, id, progressDetail`."""

    def count(self, line: Fields) -> None:
        """Take in how far a layer is; extraction is not counted again."""
        detail, layer = line.object("progressDetail"), line.text("id")
        if line.text("status") == "Downloading" and detail.size("total"):
            self.layers[layer] = (detail.size("current"), detail.size("total"))
        elif line.text("status") in ("Download complete", "Pull complete"):
            _, total = self.layers.get(layer, (0, 0))
            self.layers[layer] = (total, total)


@dataclass(frozen=True)
class StreamEnd:
    """How a stream ended. `stalled` after too long without news; `status` is HTTP's, 0 for none."""

    status: int
    error: str
    stalled: bool = False

    @property
    def ok(self) -> bool:
        """Tell whether the work was done."""
        return self.status == 200 and not self.error and not self.stalled


def follow(
    run: Run,
    command: str,
    body: str,
    progress: Progress,
    *,
    what: str,
    stall: float,
    expected: int = 0,
    after: str = "",
    clock: Callable[[], float] = time.monotonic,
) -> StreamEnd:
    """Start a curl `command` on the host, feed its lines to `progress` until it ends.

    `body` goes to its standard input; `stall` is in seconds; `expected` is the whole size in
    bytes, where known; `after` is a command that follows on the host, whatever came of the first.
    """
    folder = _start(run, command, body, after)
    if not folder:
        return StreamEnd(0, "the host refused a temporary folder in /tmp")
    meter = _Meter(what, expected, clock)
    read, rest = 0, b""
    try:
        while True:
            time.sleep(POLL_SECONDS)
            parts = dict(opened(run.shell.sh(_look(folder, read), timeout=60).stdout))
            data = parts.get("out", b"")
            read += len(data)
            rest = feed(progress, rest + data)
            if len(rest) > LONGEST_LINE:
                return StreamEnd(0, f"it sent a line of more than {LONGEST_LINE} bytes")
            if len(data) == CHUNK:
                # There may be more, whether it ended or not.
                continue
            ended = parts.get("end", b"").decode(errors="replace").split()
            if len(ended) > 1 and ended[0].isdecimal():
                feed(progress, rest + b"\n")
                return StreamEnd(int(ended[0]), progress.error or _plain_error(progress, ended))
            meter.show(run, progress)
            if meter.silent_for(progress) > stall:
                return StreamEnd(0, "", stalled=True)
    finally:
        run.shell.sh(_stop(folder), timeout=30)


def _start(run: Run, command: str, body: str, after: str) -> str:
    worker = _worker(run.stack.container_prefix, command, after)
    script = (
        "d=$(mktemp -d /tmp/ollama-stack.XXXXXX) || exit 1; cat >$d/body; : >$d/out; "
        f"cd $d; setsid sh -c {shlex.quote(worker)} >/dev/null 2>&1 </dev/null & "
        "echo $d"
    )
    result = run.shell.sh(f"sh -c {shlex.quote(script)}", stdin=body)
    folder = result.stdout.strip().rpartition("\n")[2]
    return folder if result.ok and _FOLDER.fullmatch(folder) else ""


def _worker(prefix: str, command: str, after: str) -> str:
    """Build what runs on the host, under its lock, for as long as somebody looks."""
    work = (
        f"ulimit -f {LONGEST_STREAM // BLOCK};"
        f" {command} -o out -w '%{{http_code}}' <body >code 2>err; rc=$?; {after or ':'}"
        " >/dev/null; echo $rc >rc"
    )
    watch = (
        f"n=0; while [ $n -lt {UNWATCHED_SECONDS} ]; do sleep 1; [ -e rc ] && exit; n=$((n+1));"
        ' [ -e alive ] && rm -f alive && n=0; done; rm -rf "$PWD"; kill -TERM -$$'
    )
    return (
        f"echo $$ >pid; ({watch}) & {under_lock(prefix, work)} 2>err"
        f" || [ -e rc ] || {{ echo 000 >code; echo {BUSY} >rc; }}; "
        f'rm -f body; here=$PWD; cd /; sleep {LINGER_SECONDS}; rm -rf "$here"'
    )


def _look(folder: str, read: int) -> str:
    """Build what shows what came after so many bytes, and how it ended if it did before that."""
    # A curl that was ended by a signal wrote no status.
    ended = '{ c=$(cat code); [ -z "$rc" ] || echo "${c:-000} $rc $(cat err)"; }'
    script = (
        f"cd {folder} || exit 1; : >alive; rc=$(cat rc 2>/dev/null); "
        f"{enveloped('out', f'tail -c +{read + 1} out', CHUNK)}; "
        f"{enveloped('end', ended, LAST_WORDS)}"
    )
    return f"sh -c {shlex.quote(script)}"


def _stop(folder: str) -> str:
    """End the curl of an abandoned stream, which cancels the work, and remove its folder."""
    script = (
        f"cd {folder} 2>/dev/null || exit 0; p=$(cat pid); cd /; "
        f"kill -TERM -$p 2>/dev/null; rm -rf {folder}"
    )
    return f"sh -c {shlex.quote(script)}"


def feed(progress: Progress, data: bytes) -> bytes:
    """Feed the whole lines of `data`; returns the part of a line that is left."""
    *lines, rest = data.split(b"\n")
    for line in lines:
        try:
            value = read_json(line, LONGEST_LINE)
        except BadAnswer:
            # No progress: an answer that is an error may be plain text.
            if line.strip():
                progress.noise = printable(line.decode(errors="replace"))
            continue
        if isinstance(value, dict):
            progress.feed(value)
    return rest


def _plain_error(progress: Progress, ended: list[str]) -> str:
    status, code, *words = ended
    if status == "200" and code == "0":
        return ""
    if code in TOO_MUCH:
        return f"it sent more than {LONGEST_STREAM // MIB} MiB"
    said = progress.noise or printable(" ".join(words))
    return said or f"HTTP {status}, curl ended with {code}"


class _Meter:
    """Shows a line of progress now and then, and measures silence."""

    def __init__(self, what: str, expected: int, clock: Callable[[], float]) -> None:
        self.what, self.expected, self.clock = what, expected, clock
        self.begun = self.shown = self.heard = clock()
        self.last: tuple[int, str] = (-1, "")
        self.first_done: int | None = None

    def silent_for(self, progress: Progress) -> float:
        """Return the seconds since anything moved; verifying is silent work and counts less."""
        now = (progress.done, progress.phase)
        if now != self.last:
            self.last, self.heard = now, self.clock()
        silence = self.clock() - self.heard
        is_working = progress.phase.startswith(("verifying", "writing", "Extracting", "Verifying"))
        return silence / 10 if is_working else silence

    def show(self, run: Run, progress: Progress) -> None:
        """Print the line, every few seconds."""
        now = self.clock()
        if self.first_done is None and progress.done:
            self.first_done, self.begun = progress.done, now
        if now - self.shown < SHOW_SECONDS or not progress.done:
            return
        self.shown = now
        rate = (progress.done - (self.first_done or 0)) / max(now - self.begun, 0.1)
        total = max(self.expected, progress.total)
        run.teller.log(f"  {self.what}: {progress_text(progress.done, total, rate)}")
