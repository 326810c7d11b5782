"""What a whole run plans of a host that could not be seen as a whole: nothing (attack 3)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.containers.observed import ObservedServer, ServedModel
from tasks.records.held import Held
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven
from tasks.run.run import Run
from tasks.services import plan
from tasks.services.plan import (
    container_plans,
    is_free,
    orphans,
    previous_image,
    refuse_unknown,
    wanted_models,
)
from tests.unit.tasks.runs import HOST, run_on
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, container, snapshot, spec, stack

STACK = stack()
QWEN, DEEPSEEK, MISTRAL = STACK.services
SEEN = snapshot(
    container(spec(STACK)),
    servers={"qwen": ObservedServer("1", {QWEN.model: ServedModel(QWEN.model, DIGEST, 5)})},
)


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "attachment", lambda run: "")


def moved_once(folder: Path, **settings: object) -> Run:
    """Return a run of which image and model were proven anew once."""
    lock = LockFile(folder / "stack.lock")
    for digest in (OTHER_DIGEST, DIGEST):
        proven = {name: Proven(name, digest, "2026") for name in (QWEN.image, QWEN.model)}
        lock.put(HOST, "qwen", proven[QWEN.image], {QWEN.model: proven[QWEN.model]})
    return run_on(stack=stack(**settings), held=Held(HOST).by(lock))


def test_what_was_proven_before_is_kept_if_so_declared(tmp_path: Path) -> None:
    keeping = moved_once(tmp_path / "a")
    assert previous_image(keeping, QWEN) == OTHER_DIGEST
    assert wanted_models(keeping, QWEN).previous == {QWEN.model: OTHER_DIGEST}
    dropping = moved_once(tmp_path / "b", keep_previous=False)
    assert previous_image(dropping, QWEN) == ""
    assert wanted_models(dropping, QWEN).previous == {}


def test_of_what_was_never_proven_nobody_can_tell_what_is_to_be_kept(tmp_path: Path) -> None:
    assert previous_image(moved_once(tmp_path), MISTRAL) is None


def test_attack_3_of_an_unknown_service_no_step_is_planned() -> None:
    seen = replace(SEEN, containers=(), unknown={"qwen": "Docker said nothing of it"})
    run = run_on()
    plans = container_plans(run, seen)
    assert "qwen" not in plans
    assert plans["mistral"] and plans["deepseek"]
    assert not is_free(run, seen, QWEN) and is_free(run, seen, MISTRAL)


def test_attack_3_the_failure_says_what_did_not_answer() -> None:
    run = run_on()
    refuse_unknown(run, replace(SEEN, unknown={"qwen": "what Docker says did not come"}))
    (failure,) = run.teller.failures
    assert (failure.service, failure.cause) == ("qwen", "what Docker says did not come")
    assert "docker logs ollama-qwen" in failure.remedy
    assert " rm" not in failure.remedy
    refuse_unknown(run, replace(SEEN, unknown={"qwen": "again"}))
    assert len(run.teller.failures) == 1


def test_attack_3_of_an_unknown_engine_nothing_is_planned_at_all() -> None:
    run = run_on()
    seen = replace(SEEN, unknown={"": "its list of volumes did not come"})
    refuse_unknown(run, seen)
    assert run.teller.has_failed("mistral")
    assert container_plans(run, seen) == {}
    assert orphans(run, seen) == ([], [])
