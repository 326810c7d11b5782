"""What registries offer beyond what is proven: told, asked for as little as can be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from console.looking import offers as module
from console.looking.offers import ask
from tasks.declared.stack import Service, Stack
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven, ServiceLock
from tasks.registry.manifests import Asker, RegistryFault, RemoteManifest
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, stack

STACK = stack()
QWEN = STACK.services[0]


def lock(*services: Service, digest: str = DIGEST) -> LockFile:
    entries = {
        ("@local", s.name): ServiceLock(
            Proven(s.image, digest, "2026"), {s.model: Proven(s.model, digest, "2026")}
        )
        for s in services
    }
    return LockFile(Path("/nowhere/stack.lock"), entries)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Answer for every registry: the image moved, no model did, mistral's is silent."""
    names: list[str] = []

    def image(asker: Asker, service: Service) -> None:
        names.append(service.image)
        key = ("image", str(asker.stack.image_reference(service)))
        asker.manifests[key] = RemoteManifest(OTHER_DIGEST)

    def model(asker: Asker, name: str) -> None:
        names.append(name)
        is_silent = name.startswith("mistral")
        found: Any = RegistryFault("silent", "") if is_silent else RemoteManifest(DIGEST)
        asker.manifests["model", name] = found

    monkeypatch.setattr(module, "image_for", image)
    monkeypatch.setattr(module, "look_up_model", model)
    yield names


def offers(stack: Stack, lock: LockFile | None) -> dict[str, tuple[str, ...]]:
    return module.offers(stack, lock, ask(stack, lock))


def test_what_moved_is_told_by_service(asked: list[str]) -> None:
    moved = (f"{QWEN.image} {DIGEST[7:19]} → {OTHER_DIGEST[7:19]}",)
    assert offers(STACK, lock(*STACK.services)) == {s.name: moved for s in STACK.services}


def test_what_was_taken_meanwhile_is_offered_no_more(asked: list[str]) -> None:
    answers = ask(STACK, lock(QWEN))
    assert module.offers(STACK, lock(QWEN), answers)["qwen"]
    taken = LockFile(
        Path("/nowhere/stack.lock"),
        {("@local", "qwen"): ServiceLock(Proven(QWEN.image, OTHER_DIGEST, "2026"))},
    )
    assert module.offers(STACK, taken, answers)["qwen"] == ()


def test_what_was_never_proven_is_not_asked_for(asked: list[str]) -> None:
    assert set(offers(STACK, lock(QWEN))) == {"qwen", "deepseek", "mistral"}
    assert asked == [QWEN.image, QWEN.model]


def test_without_a_lock_and_for_what_is_inactive_nobody_is_asked(asked: list[str]) -> None:
    assert offers(STACK, None) == {}
    idle: Stack = stack(models={name: {"active": False} for name in ("qwen", "deepseek")})
    assert set(offers(idle, lock(*idle.services))) == {"mistral"}
    assert QWEN.model not in asked
