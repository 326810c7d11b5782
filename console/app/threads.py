"""Work beside the keyboard: a daemon thread, so that leaving never waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from textual.app import App
from textual.screen import Screen

from console.words.trouble import fault

T = TypeVar("T")


def tell(app: App[None], then: Callable[..., object], *values: object) -> None:
    """Call something in the app's own thread; nothing where the app is gone, or just going.

    What cannot be shown ends neither the thread that has it nor the app.
    """

    def show() -> None:
        try:
            then(*values)
        except Exception as error:
            tell_fault(app, error)

    with suppress(RuntimeError, CancelledError):
        app.call_from_thread(show)


_told: WeakKeyDictionary[App[None], set[str]] = WeakKeyDictionary()


def tell_fault(app: App[None], error: Exception) -> None:
    """Notify of what nobody foresaw: each once, since it may come with every look."""
    trouble, told = fault(error), _told.setdefault(app, set())
    if trouble.cause not in told:
        told.add(trouble.cause)
        app.notify(f"{trouble.cause}\n{trouble.remedy}", severity="error", markup=False)


def is_open(view: Screen[Any]) -> bool:
    """Tell whether a view can be written into: one that is being left has lost its parts."""
    return view.is_attached and view in view.app.screen_stack


def beside(view: Screen[Any], work: Callable[[], T], then: Callable[[T], object]) -> None:
    """Do work in a thread and hand its result to `then`, if the view is still open."""
    app = view.app

    def arrive(result: T) -> None:
        if is_open(view):
            then(result)

    def run() -> None:
        try:
            result = work()
        except Exception as error:
            tell(app, tell_fault, app, error)
        else:
            tell(app, arrive, result)

    threading.Thread(target=run, daemon=True, name=getattr(work, "__name__", "work")).start()
