"""A plan as people read it."""

from __future__ import annotations

from tasks.steps import Action, Failure, Step, plan_lines

STEP = Step(Action.CREATE, "x", "create container x", "there is none", "qwen", "after y")


def test_a_step_tells_who_what_why_and_what_it_waits_for() -> None:
    assert plan_lines([STEP]) == ["  1. qwen: create container x (there is none), after y"]


def test_nothing_to_do_is_said_only_where_nothing_failed() -> None:
    assert plan_lines([]) == ["  nothing to do: everything is as declared"]
    assert plan_lines([], failed=1) == ["  what the 1 failure above names is left out of this plan"]
    assert len(plan_lines([STEP], failed=2)) == 2


def test_a_failure_has_cause_and_remedy() -> None:
    assert Failure("pull x", "no network", "plug it in", "qwen").lines() == [
        "qwen: pull x",
        "  cause:  no network",
        "  remedy: plug it in",
    ]
