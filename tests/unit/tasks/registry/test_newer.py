"""What counts as newer: another digest of the same reference, and an answer that is one."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.records.proven import Proven, ServiceLock
from tasks.registry.manifests import RegistryFault, RemoteManifest
from tasks.registry.newer import newer
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, stack

STACK = stack(models={"qwen": {"also": ["small:1"]}})
QWEN = STACK.services[0]
LOCK = ServiceLock(
    Proven(QWEN.image, DIGEST, "2026"),
    {name: Proven(name, DIGEST, "2026") for name in QWEN.models},
)
KEYS = [("image", str(STACK.image_reference(QWEN))), *(("model", name) for name in QWEN.models)]


def told(answers: dict[tuple[str, str], Any], lock: ServiceLock = LOCK) -> list[str]:
    return list(newer(STACK, QWEN, lock, answers))


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_another_digest_of_the_same_reference_is_newer(key: tuple[str, str]) -> None:
    name = QWEN.image if key[0] == "image" else key[1]
    same = {other: RemoteManifest(DIGEST) for other in KEYS}
    assert told(same) == []
    moved = same | {key: RemoteManifest(OTHER_DIGEST)}
    assert told(moved) == [f"{name} {DIGEST[7:19]} → {OTHER_DIGEST[7:19]}"]


def test_no_answer_and_a_fault_offer_nothing() -> None:
    assert told({}) == []
    assert told(dict.fromkeys(KEYS, RegistryFault("silent", ""))) == []


def test_what_was_proven_under_another_name_is_not_compared() -> None:
    answers = dict.fromkeys(KEYS, RemoteManifest(OTHER_DIGEST))
    other = ServiceLock(
        Proven("ollama/ollama:0.1.0", DIGEST, ""), {QWEN.model: Proven("x:1", DIGEST, "")}
    )
    assert told(answers, other) == []
    assert told(answers, ServiceLock()) == []
