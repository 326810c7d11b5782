"""A plan as people read it, and held against what is done."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tasks.words.failures import Failure
from tasks.words.plan import Plan
from tasks.words.steps import Action, Step

STEP = Step(Action.CREATE, "x", "create container x", "there is none", "qwen", "after y")
OTHER = Step(Action.START, "x", "start container x", "it is exited", "qwen")
FAILURE = Failure("pull x", "no network", "plug it in", "qwen")
steps = st.builds(
    Step,
    st.sampled_from(Action),
    st.sampled_from("xyz"),
    st.just("do it"),
    st.sampled_from(("", "because")),
    st.sampled_from(("", "qwen", "mistral")),
)


def test_a_step_tells_who_what_why_and_what_it_waits_for() -> None:
    assert Plan((STEP,)).lines() == ["  1. qwen: create container x (there is none), after y"]


def test_nothing_to_do_is_said_only_where_nothing_failed() -> None:
    assert Plan().lines() == ["  nothing to do: everything is as declared"]
    assert Plan((), (FAILURE,)).lines() == [
        "  what the 1 failure above names is left out of this plan"
    ]
    assert len(Plan((STEP,), (FAILURE, FAILURE)).lines()) == 2


def test_a_plan_is_whole_where_nothing_was_left_out() -> None:
    assert Plan((STEP,)).is_whole
    assert not Plan((STEP,), (FAILURE,)).is_whole


def test_a_step_is_foreseen_whatever_became_of_its_reason() -> None:
    plan = Plan((STEP,))
    assert plan.foresees(replace(STEP, why="it went away", needs="", target=object()))
    assert not plan.foresees(OTHER)
    assert not plan.foresees(replace(STEP, subject="y"))
    assert not plan.foresees(replace(STEP, service="mistral"))


@given(st.lists(steps), st.lists(steps))
def test_what_was_not_due_any_more_is_what_was_planned_and_not_taken(
    planned: list[Step], taken: list[Step]
) -> None:
    plan = Plan(tuple(planned))
    left = plan.not_among(taken)
    assert all(step in planned for step in left)
    assert not any(Plan(tuple(taken)).foresees(step) for step in left)
    assert plan.not_among(planned) == []
    assert [s for s in planned if not Plan(tuple(taken)).foresees(s)] == left
