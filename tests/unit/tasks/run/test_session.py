"""What the hosts of one process share: one lock for all, and the end of their logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.records.lockfile import LockError, LockFile
from tasks.records.proven import Proven
from tasks.records.runlog import RunLog, log_path
from tasks.run.session import Session
from tasks.words.steps import Action, Step
from tests.unit.tasks.runs import SaidShell, run_on
from tests.unit.tasks.samples import stack

STEP = Step(Action.START, "ollama-qwen", "start", "", "qwen")


def test_what_one_host_proves_the_next_one_takes(tmp_path: Path) -> None:
    session, path = Session(), tmp_path / "stack.lock"
    session.lock(path).put("one", "qwen", None, {"m:1": Proven("m:1", "sha256:a", "2026")})
    assert session.lock(path).known_models("two") == {"m:1": "sha256:a"}
    assert session.lock(path) is session.lock(path)
    assert session.lock(tmp_path / "other.lock").entries == {}


def test_a_lock_that_cannot_be_read_is_tried_again_and_not_taken_for_an_empty_one(
    tmp_path: Path,
) -> None:
    session, path = Session(), tmp_path / "stack.lock"
    path.write_text("[[[")
    with pytest.raises(LockError):
        session.lock(path)
    path.unlink()
    assert session.lock(path) == LockFile(path)


def test_the_end_is_written_into_every_log_that_was_begun(tmp_path: Path) -> None:
    declared = stack(database=str(tmp_path / "models.db"))
    session = Session()
    for name in ("one", "two", "three"):
        session.runs[name] = run_on(SaidShell(name=name), declared)
    for name in ("one", "two"):
        run = session.runs[name]
        run.teller.record = RunLog.of(declared, "RUN", name, run.teller.note)
        run.teller.changed(STEP)
    session.end("interrupted")
    log = log_path(declared)
    assert log is not None
    ends = [line for line in log.read_text().splitlines() if " end: interrupted" in line]
    assert [" one " in ends[0], " two " in ends[1], len(ends)] == [True, True, 2]
