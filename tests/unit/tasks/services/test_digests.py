"""A digest that nobody held to never counts as pulled (attack 7), nor an absence as damage."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tasks.containers import facts
from tasks.containers.observed import ObservedServer, ServedModel
from tasks.records.goals import Goal
from tasks.records.proven import Proven, ServiceLock
from tasks.registry.manifests import RemoteManifest
from tasks.run.streams import StreamEnd
from tasks.servers import proof
from tasks.servers.abilities import Show
from tasks.servers.generation import Proof
from tasks.services import pull
from tasks.services.pull import absent, replace_model
from tasks.words.failures import StepFailed
from tasks.words.steps import Action, Step
from tests.unit.tasks.samples import DIGEST, IMAGE, OTHER_DIGEST, container, snapshot, spec, stack

STACK = stack()
QWEN = STACK.services[0]
MODEL = QWEN.model
STEP = Step(Action.RESTORE_MODEL, MODEL, "restore", "", QWEN.name)


class HeldTo:
    """A run that holds the model to a digest; what it enters into the lock is kept."""

    def __init__(self, digest: str) -> None:
        self.stack, self.digest = STACK, digest
        self.goals: dict[str, Any] = {}
        self.arrived: dict[str, set[str]] = {}
        self.entered: list[Any] = []

    def model_digests(self, service: Any) -> dict[str, str]:
        return {MODEL: self.digest} if self.digest else {}

    def locked(self, service: Any) -> ServiceLock:
        return ServiceLock(models={MODEL: Proven(MODEL, DIGEST, "2026")})

    def image_digest(self, service: Any) -> str:
        return DIGEST

    def log(self, line: str) -> None:
        pass

    def enter(self, *entry: Any) -> None:
        self.entered.append(entry)


@pytest.fixture
def pulling(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the registry offer one digest, and another one or none arrive."""

    def arrange(offered: str, came: dict[str, str]) -> None:
        held = [{}, {name: ServedModel(name, digest, 5) for name, digest in came.items()}]
        monkeypatch.setattr(pull, "model_manifest", lambda run, model: RemoteManifest(offered))
        monkeypatch.setattr(pull, "_follow", lambda *args: StreamEnd(200, ""))
        monkeypatch.setattr(
            pull, "held_now", lambda run, service: held.pop(0) if len(held) > 1 else held[0]
        )

    return arrange


def test_attack_7_another_digest_than_the_one_held_to_is_a_failed_pull(pulling: Any) -> None:
    pulling(DIGEST, {MODEL: OTHER_DIGEST})
    run: Any = HeldTo(DIGEST)
    with pytest.raises(StepFailed, match="came as bbbbbbbbbbbb, and it is held to aaaaaaaaaaaa"):
        replace_model(run, STEP, QWEN)


def test_what_was_declared_anew_is_held_to_nothing_yet(pulling: Any) -> None:
    pulling(DIGEST, {MODEL: OTHER_DIGEST})
    run: Any = HeldTo("")
    replace_model(run, STEP, QWEN)


def test_the_digest_held_to_is_a_pull_that_worked(pulling: Any) -> None:
    pulling(DIGEST, {MODEL: DIGEST})
    run: Any = HeldTo(DIGEST)
    replace_model(run, STEP, QWEN)


@pytest.mark.parametrize(("held_to", "is_entered"), [("", True), (DIGEST, True), ("x", False)])
def test_attack_7_a_proof_moves_no_digest_into_the_lock(
    monkeypatch: pytest.MonkeyPatch, held_to: str, is_entered: bool
) -> None:
    server = ObservedServer("0.24.0", {MODEL: ServedModel(MODEL, DIGEST, 5)})
    seen = snapshot(container(spec(STACK)), servers={"qwen": server})
    monkeypatch.setattr(proof, "observe", lambda run: seen)
    run: Any = HeldTo(OTHER_DIGEST if held_to == "x" else held_to)
    told = Show(frozenset({"completion"}))
    if not is_entered:
        with pytest.raises(StepFailed, match="it is held to bbbbbbbbbbbb"):
            proof._enter(run, QWEN, Proof(MODEL, 8, 5.0, 0.0), told, set())
        assert run.entered == []
        return
    proof._enter(run, QWEN, Proof(MODEL, 8, 5.0, 0.0), told, set())
    assert [entry[2][MODEL].digest for entry in run.entered] == [DIGEST]


@pytest.mark.parametrize(("is_upgrade", "is_taken"), [(True, True), (False, False)])
def test_in_an_upgrade_the_new_image_is_proven_with_the_model_of_before(
    monkeypatch: pytest.MonkeyPatch, is_upgrade: bool, is_taken: bool
) -> None:
    server = ObservedServer("0.24.0", {MODEL: ServedModel(MODEL, DIGEST, 5)})
    seen = snapshot(container(spec(STACK)), servers={"qwen": server})
    monkeypatch.setattr(proof, "observe", lambda run: seen)
    run: Any = HeldTo(OTHER_DIGEST)
    if is_upgrade:
        run.goals["qwen"] = Goal()
    told, generated = Show(frozenset({"completion"})), Proof(MODEL, 8, 5.0, 0.0)
    if is_taken:
        proof._enter(run, QWEN, generated, told, set())
        return
    with pytest.raises(StepFailed, match="it is held to bbbbbbbbbbbb"):
        proof._enter(run, QWEN, generated, told, set())


def test_attack_7_nor_does_it_move_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    server = ObservedServer("0.24.0", {MODEL: ServedModel(MODEL, DIGEST, 5)})
    seen = snapshot(container(spec(STACK)), servers={"qwen": server})
    monkeypatch.setattr(proof, "observe", lambda run: seen)
    run: Any = HeldTo("")
    monkeypatch.setattr(run, "image_digest", lambda service: OTHER_DIGEST)
    assert OTHER_DIGEST not in IMAGE.digests
    with pytest.raises(StepFailed, match="the image"):
        proof._enter(run, QWEN, Proof(MODEL, 8, 5.0, 0.0), Show(frozenset()), set())


def test_report_3_a_name_of_another_case_is_no_damage() -> None:
    named = QWEN.model_copy(update={"model": "Tiny-Qwen:v1"})
    fault = absent(STACK, named, "Tiny-Qwen:v1", ["other:1", "tiny-qwen:v1"])
    assert "is there as tiny-qwen:v1" in fault.cause
    assert 'declare it as "tiny-qwen:v1"' in fault.remedy


@pytest.mark.parametrize("held", [[], ["other:1"]])
def test_report_3_no_remedy_takes_a_volume_or_a_model_away(held: list[str]) -> None:
    fault = absent(STACK, QWEN, MODEL, held)
    assert not any(word in fault.remedy for word in ("rm", "volume", "prune", "delete"))
    assert "docker logs ollama-qwen" in fault.remedy


def test_a_server_that_does_not_tell_holds_not_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = SimpleNamespace(
        server=lambda name: ObservedServer(), unknown_of=lambda name: "its server answers oddly"
    )
    monkeypatch.setattr(facts, "observe_afresh", lambda run: seen)
    run: Any = HeldTo("")
    with pytest.raises(StepFailed, match="its server answers oddly"):
        facts.held_now(run, QWEN)
    seen.unknown_of = lambda name: ""
    with pytest.raises(StepFailed, match="does not answer"):
        facts.held_now(run, QWEN)
