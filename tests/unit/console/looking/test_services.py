"""The rows of the console: what state a service is in, and where it differs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from console.looking.services import ServiceView, interrupted, orphans, views
from console.looking.table import loaded_text
from tasks.containers.observed import LoadedModel, ObservedServer, ServedModel, Snapshot
from tasks.containers.plan import Wanted, plan_container
from tasks.records.held import Held
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven, ServiceLock
from tasks.words.steps import Action
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, container, snapshot, spec, stack

STACK = stack()
SPEC = spec(STACK)
MODEL = STACK.services[0].model
SERVER = ObservedServer("0.24.0", {MODEL: ServedModel(MODEL, DIGEST, 5_000_000_000)})


def qwen(seen: Snapshot, lock: LockFile | None = None, declared: Any = STACK) -> ServiceView:
    return views(declared, seen, lock)[0]


def with_server(server: ObservedServer, **changes: Any) -> Snapshot:
    return snapshot(container(SPEC, **changes), servers={"qwen": server})


@pytest.mark.parametrize(
    ("seen", "state"),
    [
        (snapshot(), "absent"),
        (with_server(SERVER), "active"),
        (with_server(SERVER, health="unhealthy"), "unhealthy"),
        (with_server(ObservedServer("0.24.0")), "without model"),
        (with_server(ObservedServer()), "silent"),
        (with_server(ObservedServer(), health="starting"), "starting"),
        (snapshot(container(SPEC, status="exited")), "stopped"),
        (snapshot(container(SPEC, status="paused")), "paused"),
        (snapshot(container(SPEC, status="restarting")), "restarting"),
    ],
)
def test_each_state_has_its_word(seen: Snapshot, state: str) -> None:
    view = qwen(seen)
    assert view.state == state
    assert view.is_well is (state == "active")


def test_an_inactive_service_is_well_when_it_is_stopped() -> None:
    declared = stack(models={"qwen": {"active": False}})
    assert qwen(snapshot(), declared=declared).is_well
    assert qwen(snapshot(container(SPEC, status="exited")), declared=declared).is_well
    running = qwen(with_server(SERVER), declared=declared)
    assert (running.state, running.is_well) == ("running", False)


@pytest.mark.parametrize(
    ("vram", "text"),
    [(0, "CPU 6.0 GB"), (6_000_000_000, "GPU 6.0 GB"), (2_580_000_000, "GPU 43 % 6.0 GB")],
)
def test_partial_offload_is_never_shown_as_healthy_gpu(vram: int, text: str) -> None:
    loaded = LoadedModel(MODEL, 6_000_000_000, vram, 4096)
    server = ObservedServer("0.24.0", SERVER.models, (loaded,))
    assert loaded_text(qwen(with_server(server))) == text
    assert loaded_text(qwen(with_server(SERVER))) == "no"


def test_drift_of_container_and_model_is_told_and_secrets_are_not() -> None:
    changed = container(SPEC, memory=5, environment={**SPEC.environment, "HF_TOKEN": "hunter2"})
    seen = snapshot(changed, servers={"qwen": SERVER})
    proven = {MODEL: Proven(MODEL, OTHER_DIGEST, "2026")}
    lock = LockFile(Path("/nowhere/stack.lock"), {("@local", "qwen"): ServiceLock(None, proven)})
    view = qwen(seen, lock)
    fields = [change["field"] for change in view.drift]
    assert "memory" in fields
    assert "environment HF_TOKEN" in fields
    assert f"model {MODEL}" in fields
    assert "hunter2" not in str(view.as_json())


def test_what_nobody_declared_and_what_was_interrupted_is_named() -> None:
    old = container(SPEC, name="ollama-old")
    aside = container(SPEC, name=SPEC.previous_name)
    seen = snapshot(container(SPEC), old, aside)
    assert orphans(STACK, seen) == ["ollama-old"]
    assert interrupted(STACK, seen, None) == [SPEC.name]


def test_drift_is_judged_by_what_the_plan_holds_to() -> None:
    """Where nothing was proven here, by what another service or host proved of the same image and
    model; of a model that nobody declares any more nothing is told, as nothing is done about it."""
    image = Proven(SPEC.image, OTHER_DIGEST, "2026")
    models = {name: Proven(name, OTHER_DIGEST, "2026") for name in (MODEL, "old:1")}
    entries = {("other", "qwen"): ServiceLock(image, models)}
    lock = LockFile(Path("/nowhere/stack.lock"), entries)
    server = ObservedServer(
        "0.24.0", {**SERVER.models, "old:1": ServedModel("old:1", DIGEST, 1_000)}
    )
    seen = with_server(server)
    view = qwen(seen, lock)
    assert [change["field"] for change in view.drift] == ["image", f"model {MODEL}"]
    held = Held("@local", lock)
    wanted = Wanted(STACK.services[0], SPEC, held.image_digest(STACK.services[0]))
    (first, *_) = [s for s in plan_container(wanted, seen) if s.action is Action.SET_ASIDE]
    image_change = view.drift[0]
    assert f"image {image_change['old']} → {image_change['new']}" in first.why
