"""The GPU described by CDI on a host that is played: what is run, and what has to be seen then."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tasks.container_toolkit import apply
from tasks.container_toolkit.apply import CDI_SPEC, describe_gpu
from tasks.container_toolkit.observed import Toolkit
from tasks.docker_engine.configure import Edit
from tasks.docker_engine.observed import ObservedEngine
from tasks.shell.local import Result
from tasks.words.failures import StepFailed
from tasks.words.steps import Action, Step
from tests.unit.tasks.runs import Asked, SaidShell, run_on

STEP = Step(Action.DESCRIBE_GPU, "nvidia.com/gpu", "Describe the GPU", "a test")
GENERATE = f"nvidia-ctk cdi generate --output={CDI_SPEC}"
REFRESH = "systemctl enable --now nvidia-cdi-refresh.path nvidia-cdi-refresh.service"
SHOWN = ObservedEngine(version="29.0", has_cdi=True, cdi_devices=("nvidia.com/gpu=all",))


@dataclass(frozen=True)
class Played:
    """A host where one command describes the GPU; "" for none."""

    describes: str = ""
    has_refresh: bool = False
    works: bool = True


def describe(
    monkeypatch: pytest.MonkeyPatch, played: Played, engine: ObservedEngine = SHOWN
) -> list[str]:
    """Describe the GPU there; returns the commands that ran."""
    ran: list[str] = []

    def answer(asked: Asked) -> Result:
        ran.append(asked.script.rpartition("timeout 60 ")[2])
        return Result(played.works, "", "" if played.works else "failed to initialize NVML")

    def toolkit(*_: object) -> Toolkit:
        specs = ("x",) if played.describes in ran else ()
        return Toolkit("/x", cdi_specs=specs, has_refresh=played.has_refresh)

    monkeypatch.setattr(apply, "observe_toolkit", toolkit)
    monkeypatch.setattr(apply, "observe_engine", lambda run, is_up: engine)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    describe_gpu(run_on(SaidShell(answer)), STEP, Edit())
    return ran


@pytest.mark.parametrize(
    ("played", "expected"),
    [
        (Played(GENERATE), [GENERATE]),
        (Played(REFRESH, has_refresh=True), [REFRESH]),
        (Played(GENERATE, has_refresh=True), [REFRESH, GENERATE]),
    ],
    ids=["no unit", "unit", "unit whose conditions do not hold"],
)
def test_the_unit_describes_the_gpu_and_the_toolkit_where_it_does_not(
    monkeypatch: pytest.MonkeyPatch, played: Played, expected: list[str]
) -> None:
    assert describe(monkeypatch, played) == expected


def test_a_toolkit_that_fails_is_named_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepFailed) as failed:
        describe(monkeypatch, Played(works=False))
    assert failed.value.cause == f"{GENERATE}: failed to initialize NVML"
    assert failed.value.remedy == f"sudo {GENERATE}"


def test_a_toolkit_that_describes_nothing_is_no_success(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepFailed, match="the toolkit ran, and no description"):
        describe(monkeypatch, Played())


def test_an_engine_that_tells_of_devices_has_to_show_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    blind = ObservedEngine(version="29.0", has_cdi=True)
    with pytest.raises(StepFailed, match="Docker Engine shows no device"):
        describe(monkeypatch, Played(GENERATE), blind)
    silent = ObservedEngine(version="27.5", has_cdi=True)
    describe(monkeypatch, Played(GENERATE), silent)
