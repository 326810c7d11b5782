"""What the doctor tells of the GPU, on invented hosts."""

from __future__ import annotations

from dataclasses import replace

from console.checks.gpu import gpu_checks
from tasks.nvidia.checklist import LOOKS
from tasks.nvidia.observed import Nvidia
from tests.unit.tasks.nvidia.samples import GOOD, MISMATCH, stack


def test_each_line_of_a_good_host_is_told() -> None:
    told = list(gpu_checks(stack(), GOOD))
    assert [check.what for check in told] == [f"GPU: {name}" for name, _ in LOOKS]
    assert all(check.is_well and not check.is_notable for check in told)


def test_fault_4_is_told_once_with_its_remedy_and_what_it_hides() -> None:
    told = list(gpu_checks(stack(), MISMATCH))
    (bad,) = [check for check in told if not check.is_well]
    assert bad.what == "GPU: driver and libraries" and "reboot" in bad.remedy
    assert told[-1].finding == (
        "not reached: nvidia-smi, driver version, CUDA, GPU memory, persistence"
    )


def test_a_warning_is_well_and_notable() -> None:
    (notable,) = [c for c in gpu_checks(stack(), replace(GOOD, cuda="")) if c.is_notable]
    assert notable.is_well and notable.remedy


def test_no_card_is_well_unless_the_gpu_is_required() -> None:
    (well,) = gpu_checks(stack(gpu="auto"), Nvidia())
    assert well.is_well and "models run on the CPU" in well.finding
    assert not next(gpu_checks(stack(gpu="required"), Nvidia())).is_well


def test_off_is_one_line() -> None:
    assert [c.finding for c in gpu_checks(stack(gpu="off"), GOOD)] == ["not looked at: gpu is off"]
