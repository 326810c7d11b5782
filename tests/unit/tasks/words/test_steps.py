"""A plan as people read it."""

from __future__ import annotations

from hypothesis import given

from tasks.words.steps import Action, Failure, Step, plan_lines
from tests.unit.foreign import WORST, assert_literal, assert_only_shown, foreign

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


@given(foreign)
def test_attack_13_no_step_and_no_failure_makes_a_second_line(text: str) -> None:
    step = Step(Action.PULL_MODEL, text, f"pull {text}", text, text, text)
    plan = plan_lines([step, STEP])
    failed = Failure(text, text, text, text).lines()
    assert (len(plan), len(failed)) == (2, 3)
    for line in (*plan, *failed):
        assert_only_shown(line)
        assert "\n" not in line


def test_attack_13_what_looks_like_markup_stays() -> None:
    assert_literal(plan_lines([Step(Action.CREATE, WORST, WORST, "")])[0])
    assert_literal(Failure(WORST, "", "").lines()[0])
