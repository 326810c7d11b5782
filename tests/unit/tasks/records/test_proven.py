"""What a generation proved, after what was proven before it."""

from __future__ import annotations

from tasks.records.proven import Proven, ServiceLock

OLD, NEW, NEWER = (f"sha256:{letter * 64}" for letter in "abc")
PROVEN = ServiceLock(Proven("i:1", OLD, "1"), {"m:1": Proven("m:1", OLD, "1")}, "m:1")


def moved(lock: ServiceLock, image: str, model: str, *, is_move: bool) -> ServiceLock:
    models = {"m:1": Proven("m:1", model, "2")}
    return lock.with_proven(Proven("i:1", image, "2"), models, "m:1", is_move=is_move)


def predecessors(lock: ServiceLock) -> tuple[str, dict[str, str]]:
    before = lock.image.previous if lock.image is not None else None
    return before.digest if before is not None else "", lock.previous_models


def test_what_a_move_does_not_move_has_no_predecessor_any_more() -> None:
    """A rollback undoes this move, and not half of an earlier one."""
    first = moved(PROVEN, OLD, NEW, is_move=True)
    assert predecessors(first) == ("", {"m:1": OLD})
    assert predecessors(moved(first, NEW, NEW, is_move=True)) == (OLD, {})
    assert predecessors(moved(first, OLD, NEWER, is_move=True)) == ("", {"m:1": NEW})


def test_a_proof_that_is_no_move_keeps_what_can_be_gone_back_to() -> None:
    first = moved(PROVEN, OLD, NEW, is_move=True)
    assert predecessors(moved(first, NEW, NEW, is_move=False)) == (OLD, {"m:1": OLD})
