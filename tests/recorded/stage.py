"""Where the scenarios play: a stack that is kept empty and converged, and put back before each."""

from __future__ import annotations

from contextlib import ExitStack

from tests.recorded.scenarios import (
    CONVERGED,
    EMPTY,
    Scenario,
    changes,
    faults,
    looks,
    moves,
    verbs,
)
from tests.recorded.world import World

FIRST = changes.first_run
# Those that play on one stage, one after the other; two stages can be used at the same time.
GROUPS = ((changes, looks, verbs), (faults, moves))


def names() -> list[str]:
    """Return the names of all scenarios."""
    return [FIRST.__name__, *EMPTY, *CONVERGED]


def group(name: str) -> int:
    """Return which stage a scenario plays on."""
    scenario = {**EMPTY, **CONVERGED}.get(name, FIRST)
    modules = [[module.__name__ for module in modules] for modules in GROUPS]
    return next(number for number, names in enumerate(modules) if scenario.__module__ in names)


def just_run(world: World) -> None:
    """From nothing to three services."""
    world.run()


class Stage:
    """A context manager. The first run makes the stack that most scenarios begin with."""

    def __init__(self, number: int) -> None:
        self._number = number

    def __enter__(self) -> Stage:
        with ExitStack() as held:
            self._world = held.enter_context(World(self._number))
            self._empty = held.enter_context(self._world.keep())
            self._first = self._play(FIRST if self._number == group(FIRST.__name__) else just_run)
            self._converged = held.enter_context(self._world.keep())
            self._held = held.pop_all()
        return self

    def __exit__(self, *of_error: object) -> None:
        self._held.close()

    def play(self, name: str) -> str:
        """Play a scenario and return what is told of it."""
        if name == FIRST.__name__:
            return self._first
        is_empty = name in EMPTY
        (self._empty if is_empty else self._converged).put_back()
        return self._play(EMPTY[name] if is_empty else CONVERGED[name])

    def _play(self, scenario: Scenario) -> str:
        self._world.begin()
        scenario(self._world)
        return "\n".join([str(scenario.__doc__), *self._world.told]) + "\n"
