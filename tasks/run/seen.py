"""What was observed of a host since the last change, and what is asked only once in a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Seen:
    """Keeps one value of each type: what a stage observed, others read without asking again."""

    def __init__(self) -> None:
        self._observed: dict[type, Any] = {}
        self._lasting: dict[type, Any] = {}

    def once(self, kind: type[T], look: Callable[[], T]) -> T:
        """Return what was observed since the last change; look where nothing was."""
        if kind not in self._observed:
            self._observed[kind] = look()
        value: T = self._observed[kind]
        return value

    def lasting(self, kind: type[T], make: Callable[[], T]) -> T:
        """Return what holds for the whole run, whatever changes on the host; make it once."""
        if kind not in self._lasting:
            self._lasting[kind] = make()
        value: T = self._lasting[kind]
        return value

    def forget(self, *kinds: type) -> None:
        """Forget these observations; without any, all of them: something changed."""
        for kind in kinds or tuple(self._observed):
            self._observed.pop(kind, None)
