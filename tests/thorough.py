"""What only `./main.sh test --thorough` runs: marked `thorough`, each with its reason."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def only(*values: Any, why: str) -> Any:
    """Return a parameter that CI leaves out."""
    return pytest.param(*values, marks=pytest.mark.thorough(why))


def all_but(count: int, values: Iterable[Any], *, why: str) -> list[Any]:
    """Return parameters of which CI tries the first few."""
    return [value if n < count else only(value, why=why) for n, value in enumerate(values)]
