"""What the doctor says of a generation. No GPU is claimed: the proofs are made up."""

from __future__ import annotations

import pytest

from console.checks import services
from console.checks.finding import Check
from console.checks.services import generation_check, judged
from tasks.containers.observed import Snapshot
from tasks.records.proven import Proven, ServiceLock
from tasks.servers.generation import Proof
from tests.unit.tasks.samples import DIGEST, stack
from tests.unit.tasks.servers.generating import Answers, seen
from tests.unit.tasks.servers.gpu_card import lines, recorded, rows_of

SERVICE = stack(gpu="auto").services[0]
ON_GPU = ServiceLock(models={"m:1": Proven("m:1", DIGEST, "", "GPU", rate=45.0)})


@pytest.mark.parametrize(
    ("share", "gpu", "entry", "is_well", "part"),
    [
        (1.0, "required", ON_GPU, True, "on GPU, 40 tokens/s"),
        (0.0, "auto", ServiceLock(), True, "on CPU"),
        (0.0, "required", ServiceLock(), False, "on CPU"),
        (0.0, "auto", ON_GPU, False, "it was on the GPU when it was proven"),
        (0.4, "auto", ON_GPU, False, "on GPU 40 %"),
        (0.0, "off", ON_GPU, True, "on CPU"),
    ],
)
def test_faults_1_to_3_a_later_loss_of_the_gpu_is_found(
    share: float, gpu: str, entry: ServiceLock, is_well: bool, part: str
) -> None:
    service = SERVICE.model_copy(update={"gpu": gpu})
    found = judged(Proof("m:1", 8, 40.0, share), service, entry, "ollama-qwen")
    assert found.is_well is is_well
    assert part in found.finding
    assert bool(found.remedy) is not is_well


def test_a_rate_far_below_the_proven_one_is_shown_beside_it() -> None:
    found = judged(Proof("m:1", 8, 12.0, 1.0), SERVICE, ON_GPU, "ollama-qwen")
    assert "12 tokens/s; 45 when it was proven" in found.finding


def generated(monkeypatch: pytest.MonkeyPatch, memory: tuple[list[str], list[str]]) -> Check:
    monkeypatch.setattr(services, "LocalShell", lambda: Answers(1.0, memory))
    declared = stack(gpu="required")
    return generation_check(declared, declared.services[0], Snapshot(), ServiceLock())


def test_fault_1_of_the_card_the_doctor_counts_a_model_whole_while_another_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the card it counted 3712 MiB: qwen was leaving when it read the used memory."""
    qwen, deepseek = (recorded()[name] for name in ("qwen2.5-coder:1.5b", "deepseek-r1:8b"))
    falling = [qwen.used_with, qwen.used_with, *[qwen.used_before] * 4]
    by_total = lines("before", falling, []), lines("after", [deepseek.used_with], [])
    assert "on GPU, 40 tokens/s, memory of the GPU +6241 MiB" in (
        generated(monkeypatch, by_total).finding
    )
    by_process = (
        lines("before", [qwen.used_with] * 4, rows_of({41: qwen.held})),
        lines("after", [deepseek.used_with], rows_of({42: deepseek.held})),
    )
    found = generated(monkeypatch, by_process)
    assert found.is_well and "memory of the GPU +6236 MiB" in found.finding


def test_fault_3_the_doctor_does_not_believe_a_card_that_did_not_grow(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = generated(monkeypatch, seen(412, 412))
    assert not found.is_well
    assert "on GPU (unproven), 40 tokens/s, memory of the GPU +0 MiB" in found.finding
