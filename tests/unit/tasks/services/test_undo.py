"""Taking a change back: what is removed, what comes back, and that it serves again. The requests
are those of containers/engine.py; here stands in what order they are made, and when not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tasks.containers.observed import ObservedContainer
from tasks.containers.plan import ContainerTarget
from tasks.services import undo as module
from tasks.services.moved import Moved
from tasks.services.undo import undo, undoing
from tasks.words.failures import StepFailed
from tests.unit.tasks.runs import lines_of, run_on
from tests.unit.tasks.samples import container, spec, stack

STACK = stack()
QWEN, SPEC = STACK.services[0], spec(STACK)
TARGET = ContainerTarget(QWEN, SPEC)
NAME, ASIDE = SPEC.name, SPEC.previous_name
ERROR = StepFailed("it did not generate", "declare another image")
NEW = container(SPEC, id="n" * 64)
OLD = container(SPEC, name=ASIDE, id="o" * 64)
MADE = {NAME: NEW.id, ASIDE: OLD.id}
BACK = ["rename back", "start", "wait", "models", "tidy", "verify"]


class Engine:
    """What is there, what is done to it, and what of that fails."""

    def __init__(self) -> None:
        self.containers: dict[str, ObservedContainer] = {}
        self.done: list[str] = []
        self.failing = ""

    def does(self, what: str, value: Any = None) -> Callable[..., Any]:
        def function(*_: Any, **__: Any) -> Any:
            self.done.append(what)
            if what == self.failing:
                raise StepFailed(f"{what}: no answer", "see why")
            return value

        return function


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    made = Engine()

    def now(run: object, name: str) -> ObservedContainer | None:
        if made.failing == "look":
            raise StepFailed("look: no answer", "see why")
        return made.containers.get(name)

    monkeypatch.setattr(module, "container_now", now)
    monkeypatch.setattr(module, "keep_log", lambda run, name: "; its last words: x")
    for name, what, value in (
        ("remove_container", "remove", None),
        ("rename_container", "rename back", None),
        ("start_container", "start", None),
        ("wait_until_it_answers", "wait", None),
        ("bring_back_models", "models", [QWEN.model]),
        ("tidy_images", "tidy", None),
        ("verify_service", "verify", None),
    ):
        monkeypatch.setattr(module, name, made.does(what, value))
    return made


def undone(engine: Engine, *there: ObservedContainer, is_new: bool = False) -> StepFailed:
    engine.containers = {one.name: one for one in there}
    return undo(run_on(stack=STACK), TARGET, Moved(made=dict(MADE)), ERROR, is_new=is_new)


def test_the_one_before_comes_back_with_its_models_and_has_to_generate(engine: Engine) -> None:
    failure = undone(engine, NEW, OLD, is_new=True)
    assert engine.done == ["remove", *BACK]
    assert failure.cause == (
        "it did not generate; its last words: x; the container before it serves again,"
        f" {QWEN.model} as before"
    )
    assert failure.remedy == "declare another image"


@pytest.mark.parametrize(
    ("failing", "by_hand"),
    [
        ("remove", f"docker rm -f {NAME}; docker rename {ASIDE} {NAME}; docker start {NAME}"),
        ("rename back", f"docker rename {ASIDE} {NAME}; docker start {NAME}"),
        ("start", f"docker start {NAME}; docker logs {NAME}"),
        ("wait", f"docker start {NAME}; docker logs {NAME}"),
        ("models", f"docker exec {NAME} ollama cp MODEL-replaced MODEL"),
        ("verify", f"by hand: docker logs {NAME}"),
    ],
)
def test_fault_31_what_fails_at_it_is_not_tried_again_and_is_told_by_the_commands_that_do_it(
    engine: Engine, failing: str, by_hand: str
) -> None:
    engine.failing = failing
    failure = undone(engine, NEW, OLD, is_new=True)
    assert engine.done.count(failing) == 1 and engine.done[-1] == failing
    assert f"; and what was there before did not come back: {failing}" in failure.cause
    assert by_hand in failure.remedy


def test_a_step_that_fails_later_takes_the_new_container_back_as_well(engine: Engine) -> None:
    undone(engine, NEW, OLD)
    assert engine.done == ["remove", *BACK]


def test_the_first_container_of_a_service_goes_and_nothing_comes_back(engine: Engine) -> None:
    failure = undone(engine, NEW, is_new=True)
    assert engine.done == ["remove", "tidy"]
    assert failure.cause == "it did not generate; its last words: x"


def test_a_service_whose_model_failed_goes_on_with_the_container_that_it_has(
    engine: Engine,
) -> None:
    failure = undone(engine, NEW)
    assert engine.done == BACK[1:]
    assert "; the service goes on serving" in failure.cause


def test_where_nobody_can_see_what_is_there_nothing_is_taken_back(engine: Engine) -> None:
    engine.failing = "look"
    failure = undone(engine, NEW, OLD)
    assert engine.done == []
    assert "nothing was taken back: look: no answer" in failure.cause
    assert f"docker rename {ASIDE} {NAME}" in failure.remedy


@pytest.mark.parametrize("there", [(NEW,), (NEW, OLD), (OLD,)])
def test_attack_11_a_container_of_somebody_else_stays(
    engine: Engine, there: tuple[ObservedContainer, ...]
) -> None:
    theirs = [replace(one, labels={}, id="t" * 64) for one in there[-1:]]
    failure = undone(engine, *there[:-1], *theirs, is_new=True)
    assert engine.done == []
    assert "a container that is not ours bears the name" in failure.cause


def test_what_this_run_did_not_make_beside_the_one_before_it_stays(engine: Engine) -> None:
    failure = undone(engine, replace(NEW, id="x" * 64), OLD, is_new=True)
    assert engine.done == []
    assert "both are left as they are" in failure.cause


def test_a_service_that_answers_again_says_for_how_long_it_did_not(engine: Engine) -> None:
    clock = iter([10.0, 12.5])
    run, moved = run_on(stack=STACK), Moved(dict(MADE), clock=lambda: next(clock))
    run.teller.proofs["qwen"] = ("GPU", 40.0)
    engine.containers = {NAME: NEW, ASIDE: OLD}
    undo(run, TARGET, moved, ERROR, is_new=True)
    assert "  qwen did not answer for 2.5 s" in lines_of(run)
    assert run.teller.proofs == {}, "what failed proved nothing"


@pytest.mark.parametrize("error", [ERROR, KeyError("Id")])
def test_whatever_fails_in_a_change_takes_it_back(engine: Engine, error: Exception) -> None:
    engine.containers = {NAME: NEW, ASIDE: OLD}
    with (
        pytest.raises(StepFailed) as failed,
        undoing(run_on(stack=STACK), TARGET, Moved(made=dict(MADE)), is_new=True),
    ):
        raise error
    assert engine.done == ["remove", *BACK]
    assert str(error) in failed.value.cause


def test_a_change_that_works_stays(engine: Engine) -> None:
    with undoing(run_on(stack=STACK), TARGET, Moved()):
        pass
    assert engine.done == []
