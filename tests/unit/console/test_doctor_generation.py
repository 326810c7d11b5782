"""What the doctor says of a generation. No GPU is claimed: the proofs are made up."""

from __future__ import annotations

import pytest

from console.checks.services import judged
from tasks.lockfile import Proven, ServiceLock
from tasks.ollama.generation import Proof
from tests.unit.tasks.samples import DIGEST, stack

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
