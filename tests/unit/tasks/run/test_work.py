"""The steps of a stage: each is taken by the one function of its action, in the planned order."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from tasks.run.run import Run
from tasks.run.work import Take, Work, commands_of
from tasks.words.failures import Failure, StepFailed
from tasks.words.steps import Action, Step
from tests.fake.parts import carry_out_now
from tests.unit.tasks.runs import run_on

START, STOP = (Step(a, "ollama-qwen", a, "", "qwen") for a in (Action.START, Action.STOP))
FAILURE = Failure("a GPU", "there is none", "buy one")
Shared = dict[str, int]


def note(action: str, taken: list[str]) -> Take[Shared]:
    def function(run: Run, step: Step, shared: Shared) -> None:
        shared[step.service] = shared.get(step.service, 0) + 1
        taken.append(f"{action} {shared[step.service]}")

    return function


def fails(run: Run, step: Step, shared: Shared) -> None:
    raise StepFailed("x", "y")


def sharing(run: Run) -> Callable[[Step], Shared]:
    shared: Shared = {}
    return lambda step: shared


def work_of(*planned: Step | Failure, taken: list[str], **takes: Take[Shared]) -> Work[Shared]:
    table = {action: note(action, taken) for action in (Action.START, Action.STOP)}
    changed = {Action[name.upper()]: function for name, function in takes.items()}
    return Work("test", lambda run: planned, {**table, **changed}, sharing, "qwen")


@pytest.fixture
def taken() -> list[str]:
    return []


def test_each_step_is_taken_by_its_function_with_what_they_share(taken: list[str]) -> None:
    run = run_on()
    assert carry_out_now(run, work_of(START, STOP, START, taken=taken)) is True
    assert taken == ["start 1", "stop 2", "start 3"]
    assert [event.action for event in run.teller.events] == [
        Action.START,
        Action.STOP,
        Action.START,
    ]


def test_the_first_step_that_fails_ends_a_stage_that_is_carried_out_now(taken: list[str]) -> None:
    work = work_of(START, STOP, START, taken=taken, stop=fails)
    assert carry_out_now(run_on(), work) is False
    assert taken == ["start 1"]


def test_a_failure_in_a_plan_is_told_once_and_fails(taken: list[str]) -> None:
    run = run_on()
    results = [command() for command in commands_of(run, work_of(FAILURE, START, taken=taken))]
    assert results == [False, True]
    assert not carry_out_now(run, work_of(FAILURE, taken=taken))
    assert run.teller.failures == [FAILURE]


def test_a_step_is_planned_once_the_one_before_it_was_handed_out(taken: list[str]) -> None:
    """A plan may look again between two steps."""

    def plan(run: Run) -> Iterable[Step]:
        yield START
        yield STOP if taken else START

    work = Work("test", plan, work_of(taken=taken).takes, sharing)
    assert carry_out_now(run_on(), work)
    assert taken == ["start 1", "stop 2"]


def test_a_step_that_nobody_takes_is_no_step_that_was_taken(taken: list[str]) -> None:
    work = work_of(Step(Action.REMOVE, "x", "remove x", ""), taken=taken)
    run = run_on()
    with pytest.raises(KeyError):
        carry_out_now(run, work)
    assert run.teller.events == []
