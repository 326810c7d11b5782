"""Which moves are planned: none after one that failed, on hosts that are taken one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pytest

from tasks.containers.observed import ObservedServer, ServedModel, Snapshot
from tasks.records.goals import Goal
from tasks.records.held import Held
from tasks.run.run import Run
from tasks.run.session import Session
from tasks.upgrade import move
from tasks.upgrade.move import image_pulls, move_steps, moves
from tasks.words.failures import Failure
from tasks.words.steps import Step
from tests.unit.tasks.runs import SaidShell, run_on
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, container, snapshot, spec, stack

STACK = stack()
QWEN, DEEPSEEK, MISTRAL = STACK.services
SEEN = snapshot(
    container(spec(STACK)),
    container(spec(STACK, "deepseek")),
    servers={
        s.name: ObservedServer("1", {s.model: ServedModel(s.model, DIGEST, 5)})
        for s in (QWEN, DEEPSEEK)
    },
)
GOAL = Goal(QWEN.image, OTHER_DIGEST)
FAILURE = Failure("prove: failed", "no answer", "wait", "qwen")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()
    monkeypatch.setattr(move, "SESSION", made)
    monkeypatch.setattr(move, "is_serial", lambda: True)
    return made


def host(session: Session, name: str, seen: Snapshot = SEEN) -> Run:
    """Return a run on a host where qwen and deepseek are to be moved."""
    goals = {"qwen": GOAL, "deepseek": GOAL}
    run = run_on(SaidShell(name=name), STACK, held=Held(name, goals=goals))
    run.seen.once(Snapshot, lambda: seen)
    session.runs[name] = run
    return run


def texts(steps: Iterable[Step]) -> list[str]:
    return [str(step.action) for step in steps]


def halt(session: Session, run: Run) -> None:
    """Let a move of a host have failed."""
    run.teller.fail(FAILURE)
    session.halted.add(run.shell.name)


def test_all_images_are_pulled_and_then_one_service_after_the_other_is_moved(
    session: Session,
) -> None:
    run = host(session, "one")
    assert texts(image_pulls(run)) == ["pull image"], "both have the same one"
    moved = texts(move_steps(run, DEEPSEEK))
    assert "pull image" not in moved and "move lock" in moved
    assert [work.service for _, work in moves(run)] == ["", "qwen", "deepseek", "mistral"]
    assert session.halted == set()


def test_where_hosts_are_taken_one_by_one_the_first_failure_keeps_the_others_as_they_are(
    session: Session,
) -> None:
    halt(session, host(session, "one"))
    second = host(session, "two")
    assert texts(image_pulls(second)) == []
    assert session.halted == {"one", "two"}
    assert texts(move_steps(second, QWEN)) == []
    assert second.teller.notes == [
        "qwen: not tried after the failure above on one; it is as it was"
    ]


def test_hosts_that_are_taken_together_do_not_wait_for_each_other(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(move, "is_serial", lambda: False)
    halt(session, host(session, "one"))
    second = host(session, "two")
    assert texts(image_pulls(second)) == ["pull image"]
    assert session.halted == {"one"}


def test_after_a_failed_move_the_services_behind_it_are_not_tried_and_those_to_be_moved_told(
    session: Session,
) -> None:
    run = host(session, "one")
    halt(session, run)
    assert texts(move_steps(run, QWEN)) == [], "it has failed itself, and that is told already"
    assert run.teller.notes == []
    assert texts(move_steps(run, DEEPSEEK)) == []
    assert texts(move_steps(run, MISTRAL)) == [], "and this one was not to be moved"
    assert run.teller.notes == ["deepseek: not tried after the failure above; it is as it was"]


def test_attack_3_a_service_that_nobody_can_see_halts_the_moves_behind_it(
    session: Session,
) -> None:
    run = host(session, "one", replace(SEEN, unknown={"qwen": "it answers oddly"}))
    assert texts(move_steps(run, QWEN)) == []
    assert session.halted == {"one"}
    assert [failure.service for failure in run.teller.failures] == ["qwen"]
