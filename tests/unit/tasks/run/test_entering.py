"""What was proven gets into stack.lock, under the host and the service, or is a failed step."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.records.held import Held
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven, ServiceLock
from tasks.run.entering import enter, forget_model
from tasks.run.run import Run
from tasks.words.failures import StepFailed
from tests.unit.tasks.runs import HOST, run_on
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, stack

QWEN = stack().services[0]
IMAGE = Proven(QWEN.image, DIGEST, "2026")
MODEL = Proven(QWEN.model, DIGEST, "2026")
AGENT = Proven("agent:1", DIGEST, "2026")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "stack.lock"


@pytest.fixture
def run(path: Path) -> Run:
    return run_on(stack=stack(lock=str(path)), held=Held(HOST, LockFile(path)))


def written(path: Path) -> ServiceLock:
    return LockFile.load(path).service(HOST, "qwen")


def test_the_main_model_is_named_as_such_and_another_one_is_not(run: Run, path: Path) -> None:
    enter(run, QWEN, None, {"agent:1": AGENT})
    assert written(path).main == ""
    enter(run, QWEN, IMAGE, {QWEN.model: MODEL})
    entry = written(path)
    assert entry == run.held.of("qwen"), "the other hosts of the process know it as well"
    assert (entry.main, entry.image) == (QWEN.model, IMAGE)
    assert {*entry.models} == {"agent:1", QWEN.model}


def test_a_move_is_one_generation(run: Run, path: Path) -> None:
    """What it did not move has nothing before it: a rollback undoes this move alone."""
    enter(run, QWEN, IMAGE, {QWEN.model: MODEL})
    newer = Proven(QWEN.model, OTHER_DIGEST, "2027")
    enter(run, QWEN, IMAGE, {QWEN.model: newer}, is_move=True)
    image = Proven(QWEN.image, OTHER_DIGEST, "2028")
    enter(run, QWEN, image, {QWEN.model: newer}, is_move=True)
    entry = written(path)
    assert entry.image is not None and entry.image.previous == IMAGE
    assert entry.previous_models == {}


def test_a_run_that_read_no_lock_writes_where_it_is_declared(path: Path) -> None:
    LockFile(path).put("other", "qwen", IMAGE, {})
    enter(run_on(stack=stack(lock=str(path))), QWEN, IMAGE, {})
    assert {*LockFile.load(path).entries} == {(HOST, "qwen"), ("other", "qwen")}


def test_a_model_that_is_no_more_is_no_more_there(run: Run, path: Path) -> None:
    enter(run, QWEN, IMAGE, {QWEN.model: MODEL, "agent:1": AGENT})
    forget_model(run, QWEN, "agent:1")
    assert {*written(path).models} == {QWEN.model}


def test_a_lock_that_cannot_be_written_is_a_failed_step_with_its_remedy(
    run: Run, path: Path
) -> None:
    path.mkdir()
    with pytest.raises(StepFailed) as failed:
        enter(run, QWEN, IMAGE, {})
    assert f"{path} cannot be written" in failed.value.cause
    assert failed.value.remedy and "\n" not in failed.value.cause
    path.rmdir()
    path.write_text("[[[")
    with pytest.raises(StepFailed) as failed:
        enter(run, QWEN, IMAGE, {})
    assert "restore it, or move it away" in failed.value.remedy
    assert path.read_text() == "[[["
