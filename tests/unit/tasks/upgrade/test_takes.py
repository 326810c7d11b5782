"""A step of a move that fails: what takes the move back, and what keeps the others from theirs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.containers.plan import ContainerTarget
from tasks.records.goals import Goal
from tasks.records.held import Held
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven
from tasks.run.run import Run
from tasks.run.session import Session
from tasks.services.moved import Moved
from tasks.upgrade import takes
from tasks.upgrade.takes import NOT_UNDONE, STAY, move_lock
from tasks.words.failures import StepFailed
from tasks.words.steps import Action, Step
from tests.unit.tasks.runs import HOST, run_on
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, stack

STACK = stack()
QWEN = STACK.services[0]
GOAL = Goal(QWEN.image, OTHER_DIGEST)
TAKES_BACK = [Action.STOP, Action.SET_ASIDE, Action.TAG_IMAGE, Action.UPGRADE_MODEL]


def step_of(action: Action) -> Step:
    return Step(action, "x", f"{action} x", "", "qwen", target=QWEN)


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Session:
    made = Session()
    monkeypatch.setattr(takes, "SESSION", made)
    return made


@pytest.fixture
def undone(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the services whose moves were taken back, as that is done."""
    names: list[str] = []

    @contextmanager
    def undoing(run: Run, target: ContainerTarget, moved: Moved) -> Iterator[None]:
        try:
            yield
        except Exception:
            names.append(target.service.name)
            raise

    monkeypatch.setattr(takes, "undoing", undoing)
    return names


def moving(goal: Goal | None = GOAL) -> Run:
    return run_on(stack=STACK, held=Held(HOST, goals={"qwen": goal} if goal is not None else {}))


def fails(run: Run, step: Step, moved: Moved) -> None:
    raise StepFailed("the cause", "the remedy")


def tried(run: Run, action: Action) -> StepFailed:
    """Return how a step ends that fails where it is taken back if need be."""
    with pytest.raises(StepFailed) as failed:
        takes._undone(fails)(run, step_of(action), Moved())
    return failed.value


@pytest.mark.parametrize("action", TAKES_BACK)
def test_a_step_that_fails_takes_the_whole_move_back(undone: list[str], action: Action) -> None:
    error = tried(moving(), action)
    assert undone == ["qwen"] and error.remedy == "the remedy"


def test_a_service_without_a_goal_has_no_move_to_take_back(undone: list[str]) -> None:
    tried(moving(goal=None), Action.SET_ASIDE)
    assert undone == []


def test_a_model_that_does_not_generate_is_gone_again_and_nothing_is_to_be_repaired(
    undone: list[str],
) -> None:
    error = tried(moving(), Action.PROVE_MODEL)
    assert (error.cause, error.remedy) == ("the cause", STAY)
    assert undone == ["qwen"]


@pytest.mark.parametrize("action", takes.TAKES)
def test_the_table_takes_back_what_does_not_take_itself_back(
    session: Session, undone: list[str], action: Action
) -> None:
    """A step that carries nothing fails, and so does a request that nobody answers."""
    with pytest.raises((StepFailed, AttributeError)):
        takes.TAKES[action](moving(), Step(action, "x", "x", "", "qwen"), Moved())
    assert bool(undone) is (action not in NOT_UNDONE)
    assert session.halted == {HOST}


@pytest.mark.parametrize("error", [StepFailed("x", "y"), KeyError("Id")])
def test_a_step_that_fails_halts_its_host_and_no_other(session: Session, error: Exception) -> None:
    def breaks(run: Run, step: Step, moved: Moved) -> None:
        raise error

    with pytest.raises(type(error)):
        takes._halting(breaks)(moving(), step_of(Action.START), Moved())
    assert session.halted == {HOST}
    session.halted.clear()
    takes._halting(lambda run, step, moved: None)(moving(), step_of(Action.START), Moved())
    assert session.halted == set()


@pytest.fixture
def lock(tmp_path: Path) -> LockFile:
    made = LockFile(tmp_path / "stack.lock")
    for digest in (OTHER_DIGEST, DIGEST):
        models = {QWEN.model: Proven(QWEN.model, digest, "2026")}
        made.put(HOST, "qwen", Proven(QWEN.image, DIGEST, "2026"), models, QWEN.model)
    return made


def proven_move(lock: LockFile) -> Run:
    models = {QWEN.model: Proven(QWEN.model, DIGEST, "2027")}
    goal = GOAL.with_proven(Proven(QWEN.image, OTHER_DIGEST, "2027"), models)
    return run_on(stack=STACK, held=Held(HOST, goals={"qwen": goal}).by(lock))


@pytest.mark.parametrize("is_tidied", [True, False])
def test_the_lock_moves_to_all_that_was_proven_and_old_copies_take_nothing_of_it_back(
    monkeypatch: pytest.MonkeyPatch, lock: LockFile, is_tidied: bool
) -> None:
    def tidy(run: Run, service: object) -> None:
        assert run.held.goals == {}, "what the lock holds by now is what is kept in order"
        if not is_tidied:
            raise StepFailed("it answers oddly", "run again")

    monkeypatch.setattr(takes, "tidy_models", tidy)
    run = proven_move(lock)
    move_lock(run, step_of(Action.MOVE_LOCK), Moved())
    entry = LockFile.load(lock.path).service(HOST, "qwen")
    assert entry.image is not None and entry.image.digest == OTHER_DIGEST
    assert entry.image.previous is not None and entry.image.previous.digest == DIGEST
    assert entry.previous_models == {}, "a rollback undoes this move alone"
    assert bool(run.teller.notes) is not is_tidied
    assert run.teller.failures == []


def test_a_lock_that_cannot_be_written_leaves_the_goal_to_be_taken_back(lock: LockFile) -> None:
    run = proven_move(lock)
    lock.path.write_text("[[[")
    with pytest.raises(StepFailed):
        move_lock(run, step_of(Action.MOVE_LOCK), Moved())
    assert {*run.held.goals} == {"qwen"}
