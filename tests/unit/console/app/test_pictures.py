"""The pictures in README: drawn from invented data, as those of test_snapshots are."""

from __future__ import annotations

from tests.unit.console.app.conftest import Draw
from tests.unit.console.app.samples import one_stopped, still


def test_main_view(draw: Draw) -> None:
    """A service that is stopped, one with drift, an upgrade that is offered; invented.

    RTX 2070 SUPER with 8 GB; qwen2.5-coder:7b, deepseek-r1:8b and mistral:7b on 11434 to 11436.
    """
    assert draw(still(one_stopped()))
