"""Whether a generation that worked is good enough. No GPU is claimed: the shares are made up."""

from __future__ import annotations

import pytest

from tasks.ollama.generation import Proof
from tasks.ollama.proof import objection


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
    fault = objection(Proof("m:1", 8, 50.0, share), gpu, had_gpu=had_gpu)
    assert (fault is None) is (not part)
    assert fault is None or part in fault.cause
