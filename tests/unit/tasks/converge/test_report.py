"""The lines at the end of a run."""

from __future__ import annotations

import pytest
from hypothesis import given

from tasks.containers.observed import ObservedServer, ServedModel
from tasks.converge.report import not_needed, summary
from tasks.run.decided import Decided
from tasks.run.last_words import last_words
from tasks.run.session import SESSION
from tasks.words.failures import Failure
from tasks.words.plan import Plan
from tasks.words.steps import Action, Step
from tests.unit.foreign import WORST, assert_literal, assert_only_shown, foreign
from tests.unit.tasks.runs import run_on
from tests.unit.tasks.samples import DIGEST, container, snapshot, spec, stack

STACK = stack()
MODEL = STACK.services[0].model


def test_each_service_has_a_line_and_what_is_not_ours_is_shown() -> None:
    held = {name: ServedModel(name, DIGEST, 5) for name in (MODEL, "mine:1")}
    seen = snapshot(container(spec(STACK)), servers={"qwen": ObservedServer("0.24.0", held)})
    lines = list(summary(STACK, seen))
    assert lines[0].split() == [
        "qwen",
        "http://127.0.0.1:11434",
        "active",
        f"{MODEL}@{DIGEST[7:19]}",
    ]
    assert lines[1].strip() == "not declared and left alone: mine:1"
    assert lines[2].split()[2:] == ["inactive", "deepseek-r1:8b", "is", "not", "there"]


@given(foreign)
def test_attack_13_a_server_writes_no_line_of_the_report(text: str) -> None:
    held = {text: ServedModel(text, text, 5), MODEL: ServedModel(MODEL, f"sha256:{text}", 5)}
    seen = snapshot(container(spec(STACK)), servers={"qwen": ObservedServer(text, held)})
    for line in summary(STACK, seen):
        assert_only_shown(line)
        assert "\n" not in line


@given(foreign, foreign)
def test_attack_13_last_words_are_lines_that_only_show(host: str, text: str) -> None:
    lines = last_words(host, [Failure(text, text, text), Failure("b", text, text)])
    assert len(lines) == 6
    for line in lines:
        assert_only_shown(line)
        assert "\n" not in line


def test_attack_13_markup_of_a_container_stays_in_its_last_words() -> None:
    assert_literal("".join(last_words("@local", [Failure("start: failed", WORST, "see")])))


STEP = Step(Action.PULL_MODEL, "x", "pull x", "not here yet", "qwen")
OTHER = Step(Action.START, "y", "start container y", "it is exited", "mistral")


def test_what_was_planned_and_not_due_any_more_is_told() -> None:
    run = run_on(decided=Decided(plan=Plan((STEP, OTHER))))
    run.teller.taken.append(STEP)
    assert list(not_needed(run)) == [f"  planned, and not needed any more: {OTHER}"]
    run.teller.taken.append(OTHER)
    assert list(not_needed(run)) == []


def test_what_was_not_tried_after_a_failure_is_not_called_needless() -> None:
    run = run_on(decided=Decided(plan=Plan((STEP, OTHER))))
    run.teller.failures.append(Failure("pull x", "no network", "plug it in", "qwen"))
    assert list(not_needed(run)) == []


def test_nor_is_what_was_not_tried_after_the_failure_of_another_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = run_on(decided=Decided(plan=Plan((STEP, OTHER))))
    monkeypatch.setattr(SESSION, "halted", {run.shell.name})
    assert list(not_needed(run)) == []
