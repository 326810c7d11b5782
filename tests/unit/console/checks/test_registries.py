"""What the doctor says of registries: what cannot be had matters where it is not here."""

from __future__ import annotations

import pytest

from console.checks.registries import Question, of_registry
from tasks.registry.manifests import RemoteManifest, fault
from tests.unit.tasks.samples import DIGEST

MANIFEST = RemoteManifest(DIGEST)


def question(*, is_here: bool) -> Question:
    return Question("r:1", "model m:1", is_here, lambda: MANIFEST)


def test_a_registry_that_has_everything_is_one_line() -> None:
    (found,) = of_registry("r:1", [(question(is_here=False), MANIFEST)] * 2)
    assert found.is_well and not found.is_notable and "(2)" in found.finding


@pytest.mark.parametrize("status", [401, 404, 429])
@pytest.mark.parametrize("is_here", [True, False])
def test_faults_17_and_25_each_answer_has_its_words(status: int, is_here: bool) -> None:
    said = fault(status, "model m:1", "r:1", "", "model")
    (found,) = of_registry("r:1", [(question(is_here=is_here), said)])
    assert (found.is_well, found.is_notable) == (is_here, is_here)
    assert found.finding.startswith(said.cause) and found.remedy == said.remedy


@pytest.mark.parametrize("status", [0, 503])
def test_fault_37_offline_is_notable_whatever_is_missing(status: int) -> None:
    said = fault(status, "model m:1", "r:1", "no route", "model")
    (found,) = of_registry("r:1", [(question(is_here=False), said)])
    assert found.is_well and found.is_notable
