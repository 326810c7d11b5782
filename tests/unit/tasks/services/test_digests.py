"""A digest that nobody held to never counts as pulled (attack 7), nor an absence as damage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.containers import facts
from tasks.containers.observed import ObservedServer, ServedModel
from tasks.models.plan import ModelTarget
from tasks.records.goals import Goal
from tasks.records.held import Held
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven
from tasks.registry.manifests import RemoteManifest
from tasks.run.run import Run
from tasks.run.streams import StreamEnd
from tasks.servers import proof
from tasks.servers.abilities import Show
from tasks.servers.generation import Proof
from tasks.services import pull
from tasks.services.moved import Moved
from tasks.services.pull import absent, replace_model
from tasks.words.failures import StepFailed
from tasks.words.steps import Action, Step
from tests.unit.tasks.runs import HOST, run_on
from tests.unit.tasks.samples import DIGEST, IMAGE, OTHER_DIGEST, container, snapshot, spec, stack

STACK = stack()
QWEN = STACK.services[0]
MODEL = QWEN.model


def step(digest: str) -> Step:
    """Return the step that brings the model, held to a digest."""
    target = ModelTarget(QWEN, MODEL, digest)
    return Step(Action.RESTORE_MODEL, MODEL, "restore", "", QWEN.name, target=target)


@pytest.fixture
def lock(tmp_path: Path) -> LockFile:
    return LockFile(tmp_path / "stack.lock")


def held_to(lock: LockFile, model: str = "", image: str = DIGEST, **goals: Goal) -> Run:
    """Return a run whose lock holds these digests of qwen, "" for none."""
    models = {MODEL: Proven(MODEL, model, "2026")} if model else {}
    lock.put(HOST, QWEN.name, Proven(QWEN.image, image, "2026"), models)
    return run_on(stack=STACK, held=Held(HOST, lock, goals=goals))


def locked_model(lock: LockFile) -> str:
    """Return the digest of the model that the file holds by now."""
    return LockFile.load(lock.path).service(HOST, QWEN.name).model_digests.get(MODEL, "")


@pytest.fixture
def pulling(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the registry offer one digest, and another one or none arrive."""

    def arrange(offered: str, came: dict[str, str]) -> None:
        held = [{}, {name: ServedModel(name, digest, 5) for name, digest in came.items()}]
        monkeypatch.setattr(pull, "model_manifest", lambda asker, model: RemoteManifest(offered))
        monkeypatch.setattr(pull, "_follow", lambda *args: StreamEnd(200, ""))
        monkeypatch.setattr(
            pull, "held_now", lambda run, service: held.pop(0) if len(held) > 1 else held[0]
        )

    return arrange


def test_attack_7_another_digest_than_the_one_held_to_is_a_failed_pull(pulling: Any) -> None:
    pulling(DIGEST, {MODEL: OTHER_DIGEST})
    with pytest.raises(StepFailed, match="came as bbbbbbbbbbbb, and it is held to aaaaaaaaaaaa"):
        replace_model(run_on(), step(DIGEST), Moved())


def test_what_was_declared_anew_is_held_to_nothing_yet(pulling: Any) -> None:
    pulling(DIGEST, {MODEL: OTHER_DIGEST})
    replace_model(run_on(), step(""), Moved())


def test_the_digest_held_to_is_a_pull_that_worked(pulling: Any) -> None:
    pulling(DIGEST, {MODEL: DIGEST})
    replace_model(run_on(), step(DIGEST), Moved())


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the declared container serve the model and the image as DIGEST."""
    server = ObservedServer("0.24.0", {MODEL: ServedModel(MODEL, DIGEST, 5)})
    seen = snapshot(container(spec(STACK)), servers={"qwen": server})
    monkeypatch.setattr(proof, "observe", lambda run: seen)


COMPLETES, GENERATED = Show(frozenset({"completion"})), Proof(MODEL, 8, 5.0, 0.0)


@pytest.mark.usefixtures("serving")
@pytest.mark.parametrize("before", ["", DIGEST])
def test_attack_7_a_proof_enters_the_digest_held_to(lock: LockFile, before: str) -> None:
    proof._enter(held_to(lock, before), QWEN, GENERATED, COMPLETES, set())
    assert locked_model(lock) == DIGEST


@pytest.mark.usefixtures("serving")
def test_attack_7_a_proof_moves_no_digest_into_the_lock(lock: LockFile) -> None:
    with pytest.raises(StepFailed, match="it is held to bbbbbbbbbbbb"):
        proof._enter(held_to(lock, OTHER_DIGEST), QWEN, GENERATED, COMPLETES, set())
    assert locked_model(lock) == OTHER_DIGEST


@pytest.mark.usefixtures("serving")
def test_in_an_upgrade_the_new_image_is_proven_with_the_model_of_before(lock: LockFile) -> None:
    run = held_to(lock, DIGEST, qwen=Goal(model_digests={MODEL: OTHER_DIGEST}))
    proof._enter(run, QWEN, GENERATED, COMPLETES, set())
    assert run.held.goals["qwen"].models[MODEL].digest == DIGEST
    lock.drop_models(HOST, "qwen", [MODEL])
    with pytest.raises(StepFailed, match="it is held to bbbbbbbbbbbb"):
        proof._enter(run, QWEN, GENERATED, COMPLETES, set())


@pytest.mark.usefixtures("serving")
def test_attack_7_nor_does_it_move_an_image(lock: LockFile) -> None:
    assert OTHER_DIGEST not in IMAGE.digests
    with pytest.raises(StepFailed, match="the image"):
        proof._enter(held_to(lock, image=OTHER_DIGEST), QWEN, GENERATED, COMPLETES, set())
    assert lock.service(HOST, "qwen").image_digest(QWEN.image) == OTHER_DIGEST


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
    unknown = snapshot(unknown={"qwen": "its server answers oddly"})
    for seen, cause in ((unknown, "its server answers oddly"), (snapshot(), "does not answer")):
        monkeypatch.setattr(facts, "look", lambda shell, stack, seen=seen: seen)
        with pytest.raises(StepFailed, match=cause):
            facts.held_now(run_on(), QWEN)
