"""What an upgrade and a rollback aim at."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tasks.containers.observed import KeptImage, ObservedContainer, ServedModel
from tasks.models.kept import is_interrupted, kept_sizes
from tasks.records.goals import rollback_goal, upgrade_goal
from tasks.records.proven import Proven, ServiceLock
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, container, snapshot, spec, stack

STACK = stack()
QWEN = STACK.services[0]
SPEC = spec(STACK)
IMAGE = Proven(QWEN.image, DIGEST, "2026")
MODEL = Proven(QWEN.model, DIGEST, "2026")
OLD = "ollama/ollama:0.17.4"
LOCK = ServiceLock(IMAGE, {QWEN.model: MODEL}, QWEN.model)
MOVED = LOCK.with_proven(
    Proven(QWEN.image, OTHER_DIGEST, "2027"), {QWEN.model: replace(MODEL, digest=OTHER_DIGEST)}
)


def test_what_the_registries_offer_already_runs() -> None:
    assert upgrade_goal(QWEN, LOCK, DIGEST, {QWEN.model: DIGEST}) is None


def test_an_upgrade_moves_what_is_offered_with_another_digest_and_nothing_else() -> None:
    goal = upgrade_goal(QWEN, LOCK, DIGEST, {QWEN.model: OTHER_DIGEST})
    assert goal is not None
    assert (goal.image_digest, goal.model_digests) == ("", {QWEN.model: OTHER_DIGEST})
    assert upgrade_goal(QWEN, LOCK, DIGEST, {QWEN.model: OTHER_DIGEST}, "image") is None
    goal = upgrade_goal(QWEN, LOCK, OTHER_DIGEST, {QWEN.model: OTHER_DIGEST}, "image")
    assert goal is not None
    assert (goal.image_digest, goal.model_digests) == (OTHER_DIGEST, {})


def test_a_rollback_goes_to_what_was_proven_before() -> None:
    assert rollback_goal(QWEN, LOCK) is None
    goal = rollback_goal(QWEN, MOVED)
    assert goal is not None
    assert (goal.image_digest, goal.model_digests) == (DIGEST, {QWEN.model: DIGEST})
    goal = rollback_goal(QWEN, MOVED, "models")
    assert goal is not None
    assert (goal.image_digest, goal.model_digests) == ("", {QWEN.model: DIGEST})


def test_a_rollback_takes_the_image_under_the_name_it_was_asked_for() -> None:
    lock = ServiceLock(Proven(OLD, DIGEST, "2026")).with_proven(IMAGE, {})
    assert rollback_goal(QWEN, lock) is None, "the same digest under another name is no change"
    lock = ServiceLock(Proven(OLD, OTHER_DIGEST, "2026")).with_proven(IMAGE, {})
    goal = rollback_goal(QWEN, lock)
    assert goal is not None
    assert (goal.reference, goal.image_digest) == (OLD, OTHER_DIGEST)


def test_a_rollback_goes_back_to_a_main_model_of_another_name() -> None:
    other = "qwen2.5-coder:1.5b"
    lock = LOCK.with_proven(None, {other: Proven(other, OTHER_DIGEST, "2027")}, other)
    renamed = QWEN.model_copy(update={"model": other})
    for declared in (renamed, QWEN):
        goal = rollback_goal(declared, lock)
        assert goal is not None
        assert (goal.model, goal.model_digests) == (QWEN.model, {QWEN.model: DIGEST})
    assert rollback_goal(QWEN.model_copy(update={"model": "third:1"}), lock) is None


def test_each_trace_of_an_interruption_is_seen() -> None:
    def interrupted(*containers: ObservedContainer, model: str = "", **more: Any) -> bool:
        models = {model: ServedModel(model, DIGEST, 5)}
        seen = snapshot(*containers, stored={QWEN.name: models}, **more)
        return is_interrupted(seen, SPEC.name, QWEN, ["old:1"])

    def kept(ending: str) -> dict[str, Any]:
        return {"kept": (KeptImage(f"ollama/ollama:{SPEC.name}{ending}", "1", (DIGEST,), 5),)}

    assert not interrupted(container(SPEC), model=QWEN.model)
    assert interrupted(container(SPEC), container(SPEC, name=SPEC.previous_name))
    assert interrupted(container(SPEC), **kept("-replaced"))
    assert not interrupted(container(SPEC), **kept("-next")), "the next upgrade goes on with it"
    assert interrupted(model=f"{QWEN.model}-replaced")
    assert interrupted(model="old:1-replaced")
    assert not interrupted(model="mine:1-replaced"), "a person's own"


def test_only_what_is_really_kept_is_shown() -> None:
    kept = (KeptImage(f"ollama/ollama:{SPEC.name}-previous", "1", (DIGEST,), 7),)
    copy = {f"{QWEN.model}-previous": ServedModel("x", DIGEST, 5)}
    assert kept_sizes(snapshot(kept=kept), SPEC.name, MOVED, copy) == [
        (QWEN.image, DIGEST, 7),
        (QWEN.model, DIGEST, 5),
    ]
    assert kept_sizes(snapshot(), SPEC.name, MOVED, {}) == []
