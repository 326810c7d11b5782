"""Progress of pulls, from the lines that Ollama and the engine really send."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.streams import ImageProgress, ModelProgress, feed
from tasks.text import bytes_text, duration_text, progress_text

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
