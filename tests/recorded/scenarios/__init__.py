"""What is done to a stack, by name: each scenario is recorded in one file of `outputs`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.recorded.world import World

Scenario = Callable[[World], None]
# Those that begin on a host where all is converged, and those where nothing is yet.
CONVERGED: dict[str, Scenario] = {}
EMPTY: dict[str, Scenario] = {}


def on_converged(scenario: Scenario) -> Scenario:
    """Register a scenario that begins where three services are as declared."""
    CONVERGED[scenario.__name__] = scenario
    return scenario


def on_empty(scenario: Scenario) -> Scenario:
    """Register a scenario that begins where nothing is yet."""
    EMPTY[scenario.__name__] = scenario
    return scenario


@contextmanager
def lying(world: World) -> Iterator[None]:
    """End all lies at the end of a block."""
    try:
        yield
    finally:
        world.host.liar.be_honest()
