"""For all tests: how much of them runs, and how many examples hypothesis tries.

`--quick` runs the unit tests alone, which need no Docker; `--thorough` runs everything, also what
is marked `thorough`. Hypothesis asserts no times: a busy machine is no fault. In CI it tries the
same examples each time; whoever works on the code tries new ones.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

UNIT_TESTS = Path(__file__).parent / "unit"
# How many examples a property has; some tests take a part or a multiple of it.
EXAMPLES = {"quick": 25, "ci": 100, "thorough": 400}
for name, count in EXAMPLES.items():
    settings.register_profile(
        name, deadline=None, derandomize=bool(os.environ.get("CI")), max_examples=count
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add both options."""
    group = parser.getgroup("ollama-stack")
    group.addoption("--quick", action="store_true", help="the unit tests alone: no Docker, no lab")
    group.addoption("--thorough", action="store_true", help="also what CI leaves out")


def pytest_configure(config: pytest.Config) -> None:
    """Choose what is collected, and hypothesis' profile, before the tests are imported."""
    if config.option.quick and config.option.thorough:
        raise pytest.UsageError("--quick and --thorough do not go together")
    if config.option.quick and config.args_source is not pytest.Config.ArgsSource.ARGS:
        config.args = [str(UNIT_TESTS)]
    if not config.getoption("--hypothesis-profile"):
        wanted = "quick" if config.option.quick else "thorough" if config.option.thorough else "ci"
        settings.load_profile(wanted)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked `thorough`, unless it is asked for."""
    if config.option.thorough:
        return
    left_out = [item for item in items if item.get_closest_marker("thorough")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("thorough")]


@pytest.fixture(scope="session")
def times(request: pytest.FixtureRequest) -> int:
    """How often a test repeats what may go well by chance."""
    return 10 if request.config.option.thorough else 3
