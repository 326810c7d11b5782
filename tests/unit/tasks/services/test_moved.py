"""What a run did to each service so far."""

from __future__ import annotations

from tasks.services.moved import Moved, begin
from tasks.words.steps import Action, Step
from tests.unit.tasks.runs import run_on


def step(service: str) -> Step:
    return Step(Action.STOP, "x", "stop x", "", service)


def test_a_service_does_not_answer_from_its_first_stop_on() -> None:
    clock = iter([10.0, 12.21])
    moved = Moved(clock=lambda: next(clock))
    assert moved.downtime() is None
    moved.stop()
    moved.stop()
    assert moved.downtime() == 2.3, "rounded up"
    assert moved.downtime() is None, "told once"


def test_all_stages_of_a_run_share_what_was_done_to_a_service_whatever_changes() -> None:
    run = run_on()
    moved = begin(run)(step("qwen"))
    moved.made["ollama-qwen"] = "id"
    run.seen.forget()
    later = begin(run)
    assert later(step("qwen")) is moved
    assert later(step("mistral")).made == {}
    assert begin(run_on())(step("qwen")).made == {}, "another run did nothing yet"
