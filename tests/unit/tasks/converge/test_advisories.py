"""Fault 10: old releases are warned of by name."""

from __future__ import annotations

import pytest

from tasks.converge.advisories import image_notes
from tests.unit.tasks.samples import stack


@pytest.mark.parametrize(
    ("tag", "count"), [("0.24.0", 0), ("0.20.9", 1), ("0.17.0", 2), ("latest", 0), ("0.9.1-rc1", 2)]
)
def test_fault_10_each_release_older_than_a_mend_is_named(tag: str, count: int) -> None:
    notes = list(image_notes(stack(image=f"ollama/ollama:{tag}")))
    assert len(notes) == count
    assert all(tag in note for note in notes)
