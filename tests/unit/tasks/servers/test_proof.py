"""Whether a generation that worked is good enough. No GPU is claimed: the shares are made up."""

from __future__ import annotations

import pytest

from tasks.declared.stack import Service
from tasks.servers.generation import Proof
from tasks.servers.gpu_memory import Memory
from tasks.servers.proof import objection
from tests.unit.tasks.samples import stack


def service(gpu: str, **changes: object) -> Service:
    return stack().services[0].model_copy(update={"gpu": gpu, **changes})


@pytest.mark.parametrize(
    ("share", "gpu", "had_gpu", "part"),
    [
        (1.0, "required", True, ""),
        (0.0, "off", False, ""),
        (0.0, "auto", False, ""),
        (0.0, "required", False, 'ran on CPU and gpu = "required"'),
        (0.4, "required", False, "ran on GPU 40 %"),
        (0.0, "auto", True, "ran on the GPU before, and on CPU after the upgrade"),
        (0.4, "auto", True, "and on GPU 40 % after the upgrade"),
    ],
)
def test_fault_2_a_model_that_left_the_gpu_is_no_success(
    share: float, gpu: str, had_gpu: bool, part: str
) -> None:
    fault = objection(Proof("m:1", 8, 50.0, share), service(gpu), had_gpu=had_gpu)
    assert (fault is None) is (not part)
    assert fault is None or part in fault.cause


def test_fault_3_required_does_not_believe_a_card_that_did_not_grow() -> None:
    unproven = Proof("m:1", 8, 50.0, 1.0, Memory(0, 4 * 1024**3))
    fault = objection(unproven, service("required"), had_gpu=False)
    assert fault is not None
    assert "did not grow by it (+0 of 4096 MiB)" in fault.cause
    assert objection(unproven, service("auto"), had_gpu=False) is None


@pytest.mark.parametrize(("share", "is_good"), [(0.6, True), (0.0, False)])
def test_where_a_part_is_allowed_a_part_is_enough_and_the_cpu_is_not(
    share: float, is_good: bool
) -> None:
    allowed = service("required", gpu_partial=True)
    fault = objection(Proof("m:1", 8, 50.0, share), allowed, had_gpu=True)
    assert (fault is None) is is_good
