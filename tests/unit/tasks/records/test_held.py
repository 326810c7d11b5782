"""What the services of a host are held to: goals before the lock, the lock before what others
proved."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.records.goals import Goal
from tasks.records.held import Held
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, stack

QWEN, DEEPSEEK, _ = stack().services
MODEL = QWEN.model
THIRD = "sha256:" + "c" * 64


@pytest.fixture
def lock(tmp_path: Path) -> LockFile:
    return LockFile(tmp_path / "stack.lock")


def proven(reference: str, digest: str) -> Proven:
    return Proven(reference, digest, "2026")


def test_before_a_lock_was_read_nothing_is_held_to() -> None:
    held = Held("one")
    assert held.image_digest(QWEN) == "" and held.model_digests(QWEN) == {}
    assert held.image_before(QWEN) is None and held.services == set()
    assert not held.has_changed and not held.is_staged(QWEN)


def test_a_service_is_held_to_its_own_digests_before_those_of_other_hosts(lock: LockFile) -> None:
    lock.put("two", "qwen", proven(QWEN.image, OTHER_DIGEST), {MODEL: proven(MODEL, OTHER_DIGEST)})
    held = Held("one").by(lock)
    assert held.image_digest(QWEN) == OTHER_DIGEST
    assert held.model_digests(QWEN) == {MODEL: OTHER_DIGEST}
    lock.put("one", "qwen", proven(QWEN.image, DIGEST), {MODEL: proven(MODEL, DIGEST)})
    assert held.image_digest(QWEN) == DIGEST
    assert held.model_digests(QWEN) == {MODEL: DIGEST}
    assert held.services == {"qwen"}


def test_a_goal_goes_before_the_lock_in_what_it_names_and_for_its_service(lock: LockFile) -> None:
    models = {MODEL: proven(MODEL, DIGEST), "agent:1": proven("agent:1", DIGEST)}
    lock.put("one", "qwen", proven(QWEN.image, DIGEST), models)
    held = Held("one").by(lock)
    of_models = held.with_goal("qwen", Goal(model_digests={MODEL: THIRD}))
    assert of_models.model_digests(QWEN) == {MODEL: THIRD, "agent:1": DIGEST}
    assert of_models.image_digest(QWEN) == DIGEST and not of_models.is_staged(QWEN)
    of_image = held.with_goal("qwen", Goal(image_digest=THIRD))
    assert of_image.image_digest(QWEN) == THIRD and of_image.is_staged(QWEN)
    assert of_image.image_digest(DEEPSEEK) == DIGEST and not of_image.is_staged(DEEPSEEK)
    assert of_image.model_digests(QWEN)[MODEL] == DIGEST
    assert held.goals == {}, "a value is not changed"


def test_a_goal_that_was_reached_is_none_any_more() -> None:
    held = Held("one").with_goal("qwen", Goal(image_digest=DIGEST)).with_goal("deepseek", Goal())
    assert {*held.without_goal("qwen").goals} == {"deepseek"}
    assert {*held.without_goal("mistral").goals} == {"qwen", "deepseek"}


def test_the_image_before_the_present_one_is_told_where_there_was_one(lock: LockFile) -> None:
    held = Held("one").by(lock)
    lock.put("one", "qwen", proven(QWEN.image, DIGEST), {})
    assert held.image_before(QWEN) is None
    lock.put("one", "qwen", proven(QWEN.image, OTHER_DIGEST), {})
    assert held.image_before(QWEN) == proven(QWEN.image, DIGEST)


def test_a_lock_of_this_host_that_somebody_moves_has_changed_and_others_may(
    lock: LockFile,
) -> None:
    held = Held("one").by(lock)
    lock.put("two", "qwen", proven(QWEN.image, DIGEST), {})
    assert not held.has_changed
    lock.put("one", "qwen", proven(QWEN.image, DIGEST), {})
    assert held.has_changed
    assert not held.by(lock).has_changed
    assert replace(held, host="three").services == set()
