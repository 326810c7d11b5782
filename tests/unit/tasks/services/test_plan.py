"""What a whole run plans of a host that could not be seen as a whole: nothing (attack 3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.containers.observed import ObservedServer, ServedModel
from tasks.services import plan
from tasks.services.plan import container_plans, is_free, orphans, refuse_unknown
from tests.unit.tasks.runs import run_on
from tests.unit.tasks.samples import DIGEST, container, snapshot, spec, stack

STACK = stack()
QWEN, DEEPSEEK, MISTRAL = STACK.services
SEEN = snapshot(
    container(spec(STACK)),
    servers={"qwen": ObservedServer("1", {QWEN.model: ServedModel(QWEN.model, DIGEST, 5)})},
)


@pytest.fixture(autouse=True)
def without_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "attachment", lambda run: "")


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
