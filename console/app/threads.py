"""Work beside the keyboard: a daemon thread, so that leaving never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TypeVar

from textual.app import App
from textual.css.query import NoMatches
from textual.widget import Widget

from console.host import Trouble

T = TypeVar("T")


def tell(app: App[None], then: Callable[..., object], *values: object) -> None:
    """Call something in the app's own thread; nothing where app or view are gone, or just going."""
    with suppress(RuntimeError, CancelledError, NoMatches):
        app.call_from_thread(then, *values)


def fault(error: Exception) -> Trouble:
    """Put what nobody foresaw into words: a thread that ended by it would leave a silent app."""
    cause = f"{type(error).__name__}: {error}"
    return Trouble(cause, "a fault of ollama-stack: please report it")


def beside(widget: Widget, work: Callable[[], T], then: Callable[[T], object]) -> None:
    """Do work in a thread and hand its result to `then`, if the widget is still there."""
    app = widget.app

    def arrive(result: T) -> None:
        if widget.is_attached:
            then(result)

    def run() -> None:
        tell(app, arrive, work())

    threading.Thread(target=run, daemon=True, name=getattr(work, "__name__", "work")).start()
