"""A step that is taken: what is said, written down and forgotten, whatever becomes of it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tasks.run.decided import Decided
from tasks.run.run import Run
from tasks.run.take import take
from tasks.words.failures import StepFailed
from tasks.words.plan import Plan
from tasks.words.steps import Action, Step
from tests.unit.tasks.runs import lines_of, run_on

STEP = Step(Action.START, "ollama-qwen", "start container ollama-qwen", "it is stopped", "qwen")


def seen_before(run: Run) -> bool:
    """Tell whether the look before the step still counts."""
    return run.seen.once(int, lambda: 2) == 1


def raising(error: Exception) -> Callable[[Run, Step], None]:
    def function(run: Run, step: Step) -> None:
        raise error

    return function


@pytest.fixture
def run() -> Run:
    made = run_on()
    made.seen.once(int, lambda: 1)
    return made


def test_a_step_that_worked_is_a_change_and_what_was_seen_before_it_is_forgotten(run: Run) -> None:
    given: list[object] = []
    assert take(run, STEP, lambda *given_to_it: given.extend(given_to_it), "moved") is True
    assert given == [run, STEP, "moved"]
    assert lines_of(run) == ["qwen: start container ollama-qwen (it is stopped)"]
    assert [(event.action, event.subject) for event in run.teller.events] == [
        (Action.START, "ollama-qwen")
    ]
    assert run.teller.failures == [] and not seen_before(run)


def test_a_step_that_failed_is_a_failure_of_its_service_and_no_change(run: Run) -> None:
    assert take(run, STEP, raising(StepFailed("no answer", "wait"))) is False
    (failure,) = run.teller.failures
    assert failure.what == "start container ollama-qwen: failed"
    assert (failure.cause, failure.remedy, failure.service) == ("no answer", "wait", "qwen")
    assert run.teller.events == [] and not seen_before(run)


def test_attack_9_an_exception_that_nobody_foresaw_is_such_a_failure_too(run: Run) -> None:
    """Half of it may have been done: what was seen before does not count any more."""
    assert take(run, STEP, raising(KeyError("Id"))) is False
    (failure,) = run.teller.failures
    assert (failure.cause, failure.service) == ("KeyError: 'Id'", "qwen")
    assert "report it" in failure.remedy
    assert run.teller.events == [] and not seen_before(run)


@pytest.mark.parametrize(("planned", "is_told"), [(Plan((STEP,)), False), (Plan(), True)])
def test_a_step_that_the_shown_plan_did_not_have_is_told(planned: Plan, is_told: bool) -> None:
    run = run_on(decided=Decided(plan=planned))
    take(run, STEP, lambda run, step: None)
    assert any("not in the plan above" in line for line in lines_of(run)) is is_told


@pytest.mark.parametrize(("seconds", "lines"), [(0.9, 1), (2.04, 2)])
def test_a_step_that_took_long_says_how_long(
    monkeypatch: pytest.MonkeyPatch, seconds: float, lines: int
) -> None:
    clock = iter([100.0, 100.0 + seconds])
    monkeypatch.setattr("tasks.run.take.time.monotonic", lambda: next(clock))
    run = run_on()
    take(run, STEP, lambda run, step: None)
    assert lines_of(run)[1:] == ["  done in 2.0 s"][: lines - 1]
