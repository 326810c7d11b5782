"""A plan as people read it."""

from __future__ import annotations

from hypothesis import given

from tasks.words.failures import Failure
from tasks.words.plan import Plan
from tasks.words.steps import Action, Step
from tests.unit.foreign import WORST, assert_literal, assert_only_shown, foreign

STEP = Step(Action.CREATE, "x", "create container x", "there is none", "qwen", "after y")


def test_a_failure_has_cause_and_remedy() -> None:
    assert Failure("pull x", "no network", "plug it in", "qwen").lines() == [
        "qwen: pull x",
        "  cause:  no network",
        "  remedy: plug it in",
    ]


@given(foreign)
def test_attack_13_no_step_and_no_failure_makes_a_second_line(text: str) -> None:
    step = Step(Action.PULL_MODEL, text, f"pull {text}", text, text, text)
    plan = Plan((step, STEP)).lines()
    failed = Failure(text, text, text, text).lines()
    assert (len(plan), len(failed)) == (2, 3)
    for line in (*plan, *failed):
        assert_only_shown(line)
        assert "\n" not in line


def test_attack_13_what_looks_like_markup_stays() -> None:
    assert_literal(Plan((Step(Action.CREATE, WORST, WORST, ""),)).lines()[0])
    assert_literal(Failure(WORST, "", "").lines()[0])
