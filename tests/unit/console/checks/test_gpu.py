"""What the doctor says of the toolkit and of the card's memory. No GPU is claimed."""

from __future__ import annotations

import pytest

from console.checks.gpu import gpu_checks, of_toolkit, of_vram
from tasks.container_toolkit.observed import Toolkit
from tasks.container_toolkit.plan import toolkit_state
from tasks.docker_engine.observed import ObservedEngine
from tasks.host.observed import ObservedHost
from tasks.nvidia.observed import Card as PciCard
from tasks.nvidia.observed import Nvidia
from tasks.vram.plan import Card, Row, VramPlan
from tests.unit.tasks.samples import stack
from tests.unit.tasks.vram.samples import MISTRAL_7B, QWEN25_7B

HOST = ObservedHost(uid=0, user="root", socket="/var/run/docker.sock", apt="/usr/bin/apt-get")
ENGINE = ObservedEngine(version="29.0.0")
HOOK = "/usr/bin/nvidia-container-runtime-hook"


@pytest.mark.parametrize(
    ("toolkit", "verdicts", "part"),
    [
        (Toolkit("/x", "1.18.0", HOOK), [(True, False)], "version 1.18.0"),
        (Toolkit("/x", "1.17.7", HOOK), [(True, True), (True, False)], "CVE-2025-23266"),
        (Toolkit(), [(False, False)] * 3, "not done yet: Install"),
    ],
)
def test_fault_10_and_what_a_converge_would_do_about_the_toolkit(
    toolkit: Toolkit, verdicts: list[tuple[bool, bool]], part: str
) -> None:
    state = toolkit_state(toolkit, HOST, stack(gpu="auto"), ENGINE, is_engine_planned=False)
    told = list(of_toolkit(state, toolkit.version))
    assert [(check.is_well, check.is_notable) for check in told] == verdicts
    assert part in told[0].finding


def test_fault_9_a_toolkit_that_would_stop_others_containers_names_them() -> None:
    others = ObservedEngine(version="29.0.0", running=(("theirs", ""),))
    state = toolkit_state(Toolkit(), HOST, stack(gpu="auto"), others, is_engine_planned=False)
    (found,) = of_toolkit(state, "")
    assert not found.is_well and "theirs" in found.finding


def plan(total: float) -> VramPlan:
    first, _, last = stack(gpu="auto").services
    rows = (Row(first, first.model, QWEN25_7B), Row(last, last.model, MISTRAL_7B))
    return VramPlan(Card("invented", (round(total),)), rows)


def test_fault_7_models_that_do_not_fit_together_are_notable_and_one_alone_is_not_well() -> None:
    (all_fit,) = of_vram(plan(24e9))
    assert all_fit.is_well and not all_fit.is_notable
    (together,) = of_vram(plan(8.6e9))
    assert together.is_notable and "not all models fit" in together.finding
    *alone, last = of_vram(plan(2e9))
    assert [check.is_well for check in alone] == [False, False]
    assert last.is_notable


def test_a_model_that_nobody_knows_is_told() -> None:
    (service, *_) = stack(gpu="auto").services
    unknown = Row(service, service.model, None, "the registry is silent")
    told = list(of_vram(VramPlan(Card("invented", (10**10,)), (unknown,))))
    assert [check.is_notable for check in told] == [True]
    assert "the registry is silent" in told[0].finding


def test_report_7_a_card_that_is_too_old_is_no_failure_where_the_cpu_will_do() -> None:
    nvidia = Nvidia(cards=(PciCard("0000:01:00.0", "0x1180", "nvidia"),), loaded="470.256.02")
    (found,) = gpu_checks(stack(gpu="auto"), nvidia)
    assert found.is_well and found.is_notable and "compute capability 5.0" in found.finding
    first, *_ = gpu_checks(stack(gpu="required"), nvidia)
    assert not first.is_well and "left as they are" in first.remedy
