"""The verdict on a GPU, on invented hosts (see samples.py)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.nvidia.checklist import diagnose
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.verdict import verdict
from tasks.words.versions import numbers, older, upstream
from tests.unit.tasks.nvidia.samples import (
    BARE,
    GOOD,
    MISMATCH,
    held_by,
    stack,
    with_driver,
)


def test_good_is_usable_and_silent() -> None:
    judged = verdict(GOOD, stack(gpu="required"))
    assert judged.usable and judged.gpus == GOOD.gpus
    assert not judged.failures and not judged.notes


def test_off_is_not_looked_at() -> None:
    assert verdict(Nvidia(), stack(gpu="off")) == verdict(GOOD, stack(gpu="off"))


TROUBLES = {
    "no NVIDIA GPU": Nvidia(),
    "the GPU is in other hands": held_by("nouveau"),
    "the NVIDIA driver needs a reboot": MISMATCH,
    "no NVIDIA driver": BARE,
    "the NVIDIA driver is not loaded": replace(BARE, on_disk="580.95.05"),
    "nvidia-smi is missing": replace(MISMATCH, error="", status=None),
    "the GPU does not answer": replace(MISMATCH, error="No devices were found", status=6),
    "the NVIDIA driver is too old": with_driver("570.133.20"),
    "CUDA is too old": replace(GOOD, cuda="12.8"),
}


@pytest.mark.parametrize("what", TROUBLES)
def test_fault_2_trouble_fails_only_where_the_gpu_is_required_and_auto_says_so(what: str) -> None:
    required = verdict(TROUBLES[what], stack(gpu="required"))
    assert [f.what for f in required.failures] == [what]
    assert required.failures[0].remedy and not required.usable
    auto = verdict(TROUBLES[what], stack(gpu="auto"))
    assert not auto.failures and not auto.usable and len(auto.notes) == 1


def test_fault_4_a_mismatch_holds_what_runs() -> None:
    assert verdict(MISMATCH, stack()).hold
    assert "sudo reboot" in verdict(MISMATCH, stack()).notes[0]
    assert not verdict(Nvidia(), stack()).hold


def test_fault_4_a_driver_that_was_installed_under_nouveau_waits_for_a_reboot() -> None:
    trouble = diagnose(held_by("nouveau", on_disk="580.95.05", is_fresh=True), stack())
    assert trouble is not None and trouble.is_passing and "reboot" in trouble.remedy
    after_it = diagnose(held_by("nouveau", on_disk="580.95.05"), stack())
    assert after_it is not None and "blacklist nouveau" in after_it.remedy


def test_one_requiring_service_fails_alone() -> None:
    declared = stack(models={"qwen": {"gpu": "required"}})
    assert [f.service for f in verdict(Nvidia(), declared).failures] == ["qwen"]
    assert [f.service for f in verdict(Nvidia(), stack(gpu="required")).failures] == [""]


@pytest.mark.parametrize(
    ("version", "minimum", "expected"),
    [
        ("580.95.05", "580.95", False),
        ("580.9", "580.95", True),
        ("580.105.08", "580.95", False),
        ("9.0", "13.0", True),
        ("13", "13.0", False),
        ("1.17.8-rc.1", "1.17.8", False),
    ],
)
def test_versions_are_compared_as_numbers(version: str, minimum: str, expected: bool) -> None:
    assert older(version, minimum) is expected


@given(st.lists(st.integers(0, 999), min_size=1), st.lists(st.integers(0, 999), min_size=1))
def test_one_of_two_versions_is_not_older(left: list[int], right: list[int]) -> None:
    one, two = (".".join(map(str, parts)) for parts in (left, right))
    assert numbers(one) == tuple(left)
    assert not (older(one, two) and older(two, one))


@pytest.mark.parametrize(
    "version", ["580.95.05", "580.95.05-0ubuntu0.24.04.2", "1:580.95.05-1~bpo12+1"]
)
def test_a_package_carries_the_version_of_the_driver(version: str) -> None:
    assert upstream(version) == "580.95.05"
