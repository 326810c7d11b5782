"""What the lab tells while it works: one plain line a step, with its duration."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

TICK_SECONDS = 10


@contextmanager
def step(label: str) -> Iterator[None]:
    """Print an imperative label, then how long the work inside took; a dot every ten seconds."""
    start = time.monotonic()
    _write(f"{label} … ")
    done = threading.Event()
    ticker = threading.Thread(target=_tick, args=(done,), daemon=True)
    ticker.start()
    try:
        yield
    except BaseException:
        _write("failed\n")
        raise
    else:
        _write(f"{time.monotonic() - start:.1f} s\n")
    finally:
        done.set()
        ticker.join()


def line(text: str) -> None:
    """Print one line."""
    _write(f"{text}\n")


def _tick(done: threading.Event) -> None:
    while not done.wait(TICK_SECONDS):
        _write(". ")


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
