"""Which steps the stages of the services plan as they come to them: none of what failed, none of
what nobody could see."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from tasks.containers.observed import ObservedServer, ServedModel, Snapshot
from tasks.declared.stack import Stack
from tasks.run.run import Run
from tasks.services.stage import (
    UNDECLARED,
    container_steps,
    container_works,
    model_steps,
    model_works,
    undeclared_steps,
)
from tasks.services.takes import TAKES
from tasks.words.failures import Failure
from tasks.words.steps import Action, Event, Step
from tests.unit.tasks.runs import run_on
from tests.unit.tasks.samples import DIGEST, container, snapshot, spec, stack

STACK = stack()
QWEN, DEEPSEEK, MISTRAL = STACK.services
SERVED = ObservedServer("1", {QWEN.model: ServedModel(QWEN.model, DIGEST, 5)})
SEEN = snapshot(container(spec(STACK)), servers={"qwen": SERVED})


def on(seen: Snapshot, declared: Stack = STACK) -> Run:
    """Return a run that sees this of its host."""
    run = run_on(stack=declared)
    run.seen.once(Snapshot, lambda: seen)
    return run


def actions(steps: Iterable[Step]) -> list[str]:
    return [str(step.action) for step in steps]


def test_a_service_is_planned_from_what_is_there() -> None:
    run = on(SEEN)
    assert actions(container_steps(run, QWEN)) == []
    assert actions(container_steps(run, MISTRAL)) == ["create volume", "create"]
    assert actions(model_steps(run, QWEN)) == ["prove model"]
    assert actions(model_steps(run, MISTRAL)) == ["pull model", "prove model"]


@pytest.mark.parametrize("planner", [container_steps, model_steps])
@pytest.mark.parametrize("of", ["mistral", ""])
def test_what_failed_is_left_as_it_is_and_the_others_go_on(
    planner: Callable[..., Iterable[Step]], of: str
) -> None:
    run = on(SEEN)
    run.teller.fail(Failure("x", "y", "z", of))
    assert actions(planner(run, MISTRAL)) == []
    assert bool(actions(planner(run, DEEPSEEK))) is bool(of)


@pytest.mark.parametrize("planner", [container_steps, model_steps])
def test_attack_3_what_nobody_can_see_now_fails_and_is_left_as_it_is(
    planner: Callable[..., Iterable[Step]],
) -> None:
    run = on(replace(SEEN, unknown={"mistral": "its server answers oddly"}))
    assert actions(planner(run, MISTRAL)) == []
    assert [(f.service, f.cause) for f in run.teller.failures] == [
        ("mistral", "its server answers oddly")
    ]
    assert actions(planner(run, DEEPSEEK)) != []


def test_a_service_begins_with_the_other_one_that_holds_its_port() -> None:
    swapped = stack(models={"qwen": {"port": DEEPSEEK.port}, "deepseek": {"port": QWEN.port}})
    both = snapshot(container(spec(STACK)), container(spec(STACK, "deepseek")))
    steps = list(container_steps(on(both, swapped), swapped.services[0]))
    assert (steps[0].action, steps[0].service) == (Action.SET_ASIDE, "deepseek")
    assert Action.CREATE in {step.action for step in steps if step.service == "qwen"}


def test_a_model_proves_itself_after_what_this_run_did_to_its_container() -> None:
    run = on(SEEN)
    created = Event("now", "qwen", Action.CREATE, "ollama-qwen", "")
    run.teller.events = [created]
    (step,) = model_steps(run, QWEN)
    assert step.why == "it was never proven here"
    run.teller.events = [created, replace(created, action=Action.PROVE)]
    assert actions(model_steps(run, QWEN)) == []


def old() -> Snapshot:
    wanted = replace(spec(STACK), service="old", name="ollama-old")
    return snapshot(container(wanted))


def test_what_is_declared_no_more_goes_with_consent_alone() -> None:
    options = STACK.options.model_copy(update={"prune": True})
    pruning = STACK.model_copy(update={"options": options})
    assert actions(undeclared_steps(on(old()))) == []
    assert [s.subject for s in undeclared_steps(on(old(), pruning))] == ["ollama-old"]
    failed = on(old(), pruning)
    failed.teller.fail(Failure("x", "y", "z"))
    assert actions(undeclared_steps(failed)) == []
    unseen = on(replace(old(), unknown={"": "no list came"}), pruning)
    assert actions(undeclared_steps(unseen)) == [] and unseen.teller.has_failed("")


def test_stages_take_the_selected_services_in_their_order() -> None:
    options = STACK.options.model_copy(update={"only": "deepseek"})
    one = on(SEEN, STACK.model_copy(update={"options": options}))
    assert [work.service for _, work in container_works(one)] == ["deepseek", ""]
    works = [*container_works(on(SEEN)), *model_works(on(SEEN))]
    names = ["qwen", "deepseek", "mistral"]
    assert [work.service for _, work in works] == [*names, "", *names]
    assert works[3] == ("See to the undeclared", UNDECLARED)
    for _, work in works[:3]:
        run = on(SEEN)
        (service,) = (s for s in STACK.services if s.name == work.service)
        assert list(work.plan(run)) == list(container_steps(run, service))
        assert work.takes is TAKES
