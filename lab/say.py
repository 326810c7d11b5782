"""What the lab tells while it works: one plain line a step, with its duration."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Quiet:
    """Switch that keeps steps silent, for tests and for `--json`."""

    is_on = False


@contextmanager
def step(label: str) -> Iterator[None]:
    """Print an imperative label, then how long the work inside took."""
    start = time.monotonic()
    _write(f"{label} … ")
    try:
        yield
    except BaseException:
        _write("failed\n")
        raise
    _write(f"{time.monotonic() - start:.1f} s\n")


def line(text: str) -> None:
    """Print one line."""
    _write(f"{text}\n")


def _write(text: str) -> None:
    if not Quiet.is_on:
        sys.stdout.write(text)
        sys.stdout.flush()
