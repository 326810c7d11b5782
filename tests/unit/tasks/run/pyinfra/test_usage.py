"""How a run may be called."""

from __future__ import annotations

import os
import sys
from typing import Any

import pytest

from tasks.run.pyinfra import usage
from tasks.run.pyinfra.usage import usage_fault


@pytest.mark.parametrize(
    ("options", "has_terminal", "part"),
    [
        ({"no_wait": True, "yes": True}, True, "--no-wait is refused"),
        ({"dry": True, "yes": True}, True, "do not go together"),
        ({"dry": False, "yes": False}, False, "add -y"),
    ],
)
def test_what_would_mislead_is_refused(
    options: dict[str, Any], has_terminal: bool, part: str
) -> None:
    assert part in usage_fault(options, has_terminal=has_terminal)


@pytest.mark.parametrize(
    ("options", "has_terminal"),
    [({"yes": True}, False), ({"dry": True}, False), ({"yes": False}, True), ({}, False)],
)
def test_the_ordinary_ways_are_fine(options: dict[str, Any], has_terminal: bool) -> None:
    assert usage_fault(options, has_terminal=has_terminal) == ""


class Gone:
    """Standard error whose reader is gone."""

    def write(self, text: str) -> int:
        raise BrokenPipeError

    def flush(self) -> None:
        raise BrokenPipeError


def test_a_ctrl_c_ends_with_130_though_nobody_reads_what_it_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[int] = []
    monkeypatch.setattr(sys, "stderr", Gone())
    monkeypatch.setattr(os, "_exit", ended.append)
    usage._interrupted(2, None)
    assert ended == [130]
