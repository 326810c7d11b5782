"""The stages that scenarios play on: each is made once, where it is asked for first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from tests.recorded.stage import Stage


@pytest.fixture(scope="session")
def stage() -> Iterator[Callable[[int], Stage]]:
    """Return a stage by its number."""
    with ExitStack() as held:
        yield cache(lambda number: held.enter_context(Stage(number)))
