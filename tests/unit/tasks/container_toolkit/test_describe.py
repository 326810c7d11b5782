"""The GPU described by CDI on a host that is played: what is run, and what has to be seen then."""

from __future__ import annotations

from typing import cast

import pytest

from tasks.container_toolkit import operations
from tasks.container_toolkit.observed import Toolkit
from tasks.container_toolkit.operations import CDI_SPEC, describe_gpu
from tasks.docker_engine.observed import ObservedEngine
from tasks.run.run import Run
from tasks.shell.local import Result
from tasks.words.failures import StepFailed
from tasks.words.steps import Action, Step

STEP = Step(Action.DESCRIBE_GPU, "nvidia.com/gpu", "Describe the GPU", "a test")
GENERATE = f"nvidia-ctk cdi generate --output={CDI_SPEC}"
REFRESH = "systemctl enable --now nvidia-cdi-refresh.path nvidia-cdi-refresh.service"
SHOWN = ObservedEngine(version="29.0", has_cdi=True, cdi_devices=("nvidia.com/gpu=all",))


class Played:
    """A host where a command that `describes` holds describes the GPU."""

    def __init__(self, *describes: str, has_refresh: bool = False, status: bool = True) -> None:
        self.describes = describes
        self.has_refresh = has_refresh
        self.status = status
        self.ran: list[str] = []
        self.memory: dict[type, object] = {}

    def sh(self, script: str, *, timeout: float | None = 60) -> Result:
        self.ran.append(script.rpartition("timeout 60 ")[2])
        return Result(self.status, "", "" if self.status else "failed to initialize NVML")

    @property
    def toolkit(self) -> Toolkit:
        is_described = any(command in self.describes for command in self.ran)
        return Toolkit("/x", cdi_specs=("x",) if is_described else (), has_refresh=self.has_refresh)


def describe(
    monkeypatch: pytest.MonkeyPatch, played: Played, engine: ObservedEngine = SHOWN
) -> None:
    monkeypatch.setattr(operations, "observe_toolkit", lambda run: run.toolkit)
    monkeypatch.setattr(operations, "observe_engine", lambda run, is_up: engine)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    describe_gpu(cast(Run, played), STEP)


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
    describe(monkeypatch, played)
    assert played.ran == expected


def test_a_toolkit_that_fails_is_named_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StepFailed) as failed:
        describe(monkeypatch, Played(status=False))
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
