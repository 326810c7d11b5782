"""Progress of pulls, from the lines that Ollama and the engine really send."""

from __future__ import annotations

import json
import shlex
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.run import streams
from tasks.run.streams import ImageProgress, ModelProgress, StreamEnd, feed, follow
from tasks.shell.curl import streaming
from tasks.words.numbers import bytes_text, duration_text, progress_text
from tests.unit.tasks.runs import SaidShell, here, run_on

# The lines that Ollama 0.24.0 sends, seen in the lab; digests and numbers are shortened.
MODEL_LINES: list[dict[str, Any]] = [
    {"status": "pulling manifest"},
    {"status": "pulling aa", "digest": "sha256:aa", "total": 100},
    {"status": "pulling aa", "digest": "sha256:aa", "total": 100, "completed": 60},
    {"status": "pulling aa", "digest": "sha256:aa", "total": 100, "completed": 100},
    {"status": "pulling bb", "digest": "sha256:bb", "total": 10, "completed": 10},
    {"status": "verifying sha256 digest"},
    {"status": "success"},
]
# In the shape of Engine API 1.41's POST /images/create; the numbers are invented.
IMAGE_LINES: list[dict[str, Any]] = [
    {"status": "Pulling from ollama/ollama", "id": "0.24.0"},
    {"status": "Pulling fs layer", "progressDetail": {}, "id": "a"},
    {"status": "Downloading", "progressDetail": {"current": 5, "total": 20}, "id": "a"},
    {"status": "Download complete", "progressDetail": {}, "id": "a"},
    {"status": "Extracting", "progressDetail": {"current": 9, "total": 20}, "id": "a"},
    {"status": "Pull complete", "progressDetail": {}, "id": "a"},
]


def text_of(lines: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def test_a_models_layers_add_up() -> None:
    progress = ModelProgress()
    for line in MODEL_LINES:
        progress.feed(line)
    assert (progress.done, progress.total, progress.phase) == (110, 110, "success")


def test_an_images_extraction_is_not_counted_again() -> None:
    progress = ImageProgress()
    seen = []
    for line in IMAGE_LINES:
        progress.feed(line)
        seen.append(progress.done)
    assert seen == [0, 0, 5, 20, 20, 20]


@given(st.lists(st.integers(0, 600), max_size=8))
def test_lines_may_arrive_cut_anywhere(cuts: list[int]) -> None:
    text = text_of(MODEL_LINES)
    whole, pieces = ModelProgress(), ModelProgress()
    feed(whole, text)
    rest, at = b"", 0
    for cut in [*sorted(cuts), len(text)]:
        rest = feed(pieces, rest + text[at:cut])
        at = max(at, cut)
    assert (pieces.done, pieces.phase) == (whole.done, whole.phase)


def test_an_error_is_kept_and_noise_is_passed_over() -> None:
    progress = ModelProgress()
    assert feed(progress, b'noise\n[1]\n{"error": "no"}\n') == b""
    assert (progress.error, progress.noise) == ("no", "noise")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (4_700_000_000, "4.7 GB"), (5e15, "5000.0 TB")],
)
def test_bytes_for_people(count: float, text: str) -> None:
    assert bytes_text(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(8, "8 s"), (68, "1 min 8 s"), (3700, "1 h 1 min")])
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_progress_line_tells_share_bytes_rate_and_time_left() -> None:
    line = progress_text(2_100_000_000, 4_700_000_000, 38_000_000)
    assert line == "45 %, 2.1 GB of 4.7 GB, 38.0 MB/s, 1 min 8 s left"


class SlowServer(BaseHTTPRequestHandler):
    """Sends pieces of an answer, with a pause before each of them."""

    pieces: ClassVar[list[bytes]] = []
    pause = 0.4

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in self.pieces:
                self.wfile.write(piece)
                self.wfile.flush()
                time.sleep(self.pause)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[StreamEnd, Any]]]:
    """Follow what a slow server sends."""
    monkeypatch.setattr(streams, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(streams, "under_lock", lambda prefix, work: f"sh -c {shlex.quote(work)}")
    server = ThreadingHTTPServer(("127.0.0.1", 0), SlowServer)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def follow_it(*pieces: bytes, stall: float = 30) -> tuple[StreamEnd, ModelProgress]:
        monkeypatch.setattr(SlowServer, "pieces", list(pieces))
        progress = ModelProgress()
        command = streaming(f"http://127.0.0.1:{server.server_port}/api/pull", has_body=True)
        run = run_on(SaidShell(here))
        return follow(run, command, "{}", progress, what="x", stall=stall), progress

    yield follow_it
    server.shutdown()
    server.server_close()


def test_attack_6_an_error_after_a_silence_is_an_error(followed: Any) -> None:
    lines = [b'{"status": "pulling manifest"}\n', b'{"error": "it broke"}\n']
    end, _ = followed(*lines)
    assert (end.ok, end.error) == (False, "it broke")


def test_attack_6_every_byte_is_read_once_however_slowly_it_comes(followed: Any) -> None:
    whole = text_of(MODEL_LINES)
    end, progress = followed(whole[:7], whole[7:90], whole[90:91], whole[91:])
    assert end.ok
    assert (progress.done, progress.total, progress.phase) == (110, 110, "success")


def test_attack_6_bytes_that_are_no_text_do_not_shift_what_follows(followed: Any) -> None:
    odd = '{"status": "größer \U0001f999"}\n'.encode() + b'\xff\xfe{"x"}\n'
    end, progress = followed(odd, b'{"error": "late"}\n')
    assert (end.error, progress.phase) == ("late", "größer \U0001f999")


def test_attack_14_a_line_without_an_end_ends_the_stream(
    followed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST_LINE", 1000)
    end, _ = followed(b"x" * 5000)
    assert "a line of more than 1000 bytes" in end.error


def test_attack_14_an_endless_stream_fills_no_disk(
    followed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "LONGEST_STREAM", 64 * 512)
    monkeypatch.setattr(SlowServer, "pause", 0.0)
    end, _ = followed(*[b'{"status": "pulling"}\n' * 200] * 40)
    assert "it sent more than" in end.error


@pytest.mark.parametrize(
    "line",
    [
        {"status": "Downloading", "id": "a", "progressDetail": {"total": 20}},
        {"status": "Downloading", "id": ["a"], "progressDetail": {"total": 20, "current": 1}},
        {"status": "Downloading", "progressDetail": "half"},
        {"digest": {"a": 1}, "total": 5},
        {"digest": "sha256:aa", "total": "many"},
        {"digest": "sha256:aa", "total": -5},
        {"status": 5},
    ],
)
def test_attack_17_an_odd_line_of_progress_is_none(line: dict[str, Any]) -> None:
    for progress in (ModelProgress(), ImageProgress()):
        progress.feed({**line, "error": "and it failed"})
        assert progress.error == "and it failed"
        assert progress.done >= 0


@pytest.mark.parametrize(
    ("phase", "counts"),
    [("pulling aa", 40), ("verifying sha256 digest", 4), ("writing manifest", 4)],
)
def test_silent_work_counts_as_a_tenth_of_a_silence(phase: str, counts: float) -> None:
    now = [100.0]
    meter = streams._Meter("x", 0, lambda: now[0])
    progress = ModelProgress()
    progress.feed({"status": phase})
    assert meter.silent_for(progress) == 0
    now[0] += 40
    assert meter.silent_for(progress) == counts
    progress.feed({"status": phase, "digest": "sha256:aa", "total": 9, "completed": 1})
    assert meter.silent_for(progress) == 0, "anything that moves ends it"


def test_a_stream_that_stalls_ends_and_its_work_on_the_host_with_it(
    followed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SlowServer, "pause", 30.0)
    end, _ = followed(b'{"status": "pulling manifest"}\n', stall=0.2)
    assert end == StreamEnd(0, "", stalled=True) and not end.ok
