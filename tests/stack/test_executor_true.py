"""The scenarios of the executor on the real engine and real servers: so the fake one is true.

The same functions as tests/unit/tasks/services/test_executor.py, on the same interface.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any

import pytest

from lab import faults, moves
from tasks.records.proven import ServiceLock
from tests.scenarios.place import EXTRA, Outcome, Place
from tests.scenarios.scenarios import SCENARIOS
from tests.stack.conftest import Maker
from tests.stack.installation import Installation


class LabPlace:
    """See Place."""

    def __init__(self, stack: Installation) -> None:
        self.stack, self.prefix, self.client = stack, stack.prefix, stack.client
        for key, value in {"start_timeout": 8, "generate_timeout": 60}.items():
            stack.declared[key] = value
        stack.declared["models"]["mistral"] = {"active": False}
        stack.write()
        self.declared = deepcopy(stack.declared)
        self.restore()

    def restore(self) -> None:
        """Take back what a scenario declared, and let the lock hold nothing of it."""
        self.stack.declared = deepcopy(self.declared)
        self.stack.write()
        outcome = self.run("stack")
        assert outcome.ok, outcome.said

    def declare(self, service: str = "", **changes: Any) -> None:
        """Change the declaration."""
        if service and not changes:
            del self.stack.declared["models"][service]
            self.stack.write()
        elif service:
            self.stack.write(**{service: changes})
        else:
            self.stack.write(**changes)

    def run(self, deploy: str, **options: Any) -> Outcome:
        """Do what a deploy does."""
        pairs = [f"{key}={str(value).lower()}" for key, value in options.items()]
        words = [word for pair in pairs for word in ("--data", pair)]
        output = self.stack.pyinfra("-y", *words, deploy=f"deploys/{deploy}.py")
        is_quiet = set(output.operations.values()) == {"No changes"}
        return Outcome(output.status == 0, is_quiet, output.text)

    def port(self, service: str) -> int:
        """Return the declared port of a service."""
        return self.stack.first_port + 7 if service == EXTRA else self.stack.port(service)

    def locked(self, service: str) -> ServiceLock:
        """Return what the lock holds of a service."""
        return self.stack.proven(service)

    def status(self, service: str) -> str:
        """Return what the database says of a service."""
        row = self.stack.rows().get(service)
        return str(row["status"]) if row else ""

    @contextmanager
    def moved(self, service: str, *, works: bool = True) -> Iterator[str]:
        """Let the registry offer another model."""
        source = "v2" if works else "tiny-broken:v1"
        with moves.model_tag(f"tiny-{service}", "v1", source) as digest:
            yield digest

    @contextmanager
    def broken_pulls(self) -> Iterator[None]:
        """Let the registry of models fail."""
        with faults.inject("models-500"):
            yield


@pytest.fixture(scope="module")
def real(make: Maker) -> LabPlace:
    return LabPlace(make())


@pytest.fixture
def place(real: LabPlace) -> Iterator[LabPlace]:
    yield real
    real.restore()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_scenario_is_the_same_on_a_real_engine(
    place: LabPlace, scenario: Callable[[Place], None]
) -> None:
    scenario(place)
