"""For all tests: hypothesis asserts no times, a busy machine is no fault.

In CI it tries the same examples each time; whoever works on the code tries new ones.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("untimed", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option."""
    group = parser.getgroup("ollama-stack")
    group.addoption("--thorough", action="store_true", help="also what CI leaves out")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `thorough`, unless it is asked for."""
    if config.option.thorough:
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]
