"""The verdict on a GPU. Every sample here is invented after NVIDIA's documentation, none recorded:
there was no card at hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.layers import Layer, defaults_layer, merge
from tasks.nvidia.observed import Card, Nvidia, driver_version
from tasks.nvidia.verdict import diagnose, numbers, older, verdict
from tasks.stack import Stack, declare

INVENTED = """\
##smi
xml=	<cuda_version>13.0</cuda_version>
status=0
csv=0, NVIDIA GeForce RTX 2070 SUPER, GPU-0a1b2c3d-0000-0000-0000-000000000000, 8192, 412, 580.95.05, 7.5
##pci
0000:01:00.0 0x1e84 nvidia
##proc
NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC 2025
##kernel
modules=nvidia
loaded=580.95.05
on_disk=580.95.05
"""  # noqa: E501
GOOD = Nvidia.from_lines(INVENTED.splitlines())
CARD = Card("0000:01:00.0", "0x1e84", "")


def stack(**values: object) -> Stack:
    return declare(merge([defaults_layer(), Layer("test", values)]))


def with_(nvidia: Nvidia, **values: object) -> Nvidia:
    return Nvidia(**{**nvidia.__dict__, **values})


def test_a_card_is_parsed() -> None:
    (gpu,) = GOOD.gpus
    assert gpu.name == "NVIDIA GeForce RTX 2070 SUPER"
    assert (gpu.memory_total, gpu.memory_used, gpu.compute_capability) == (8192, 412, "7.5")
    assert (GOOD.driver, GOOD.cuda, GOOD.loaded) == ("580.95.05", "13.0", "580.95.05")
    assert GOOD.cards == (Card("0000:01:00.0", "0x1e84", "nvidia"),)


def test_shared_memory_is_unknown_memory() -> None:
    text = INVENTED.replace("8192, 412", "[N/A], [N/A]")
    assert Nvidia.from_lines(text.splitlines()).gpus[0].memory_total is None


def test_driver_version_of_the_open_module() -> None:
    line = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build"
    assert driver_version([line]) == "580.95.05"
    assert driver_version(["GCC version:  gcc version 13.3.0"]) == ""


def test_good_is_usable_and_silent() -> None:
    judged = verdict(GOOD, stack(gpu="required"))
    assert judged.usable and judged.gpus == GOOD.gpus
    assert not judged.failures and not judged.notes


def test_off_is_not_looked_at() -> None:
    assert verdict(Nvidia(), stack(gpu="off")) == verdict(GOOD, stack(gpu="off"))


MISMATCH = Nvidia(
    cards=(Card("0000:01:00.0", "0x1e84", "nvidia"),), status=18, loaded="580.95.05",
    error="Failed to initialize NVML: Driver/library version mismatch", on_disk="580.105.08",
    modules=frozenset({"nvidia"}),
)  # fmt: skip
TROUBLES = {
    "no NVIDIA GPU": Nvidia(),
    "the NVIDIA driver needs a reboot": MISMATCH,
    "no NVIDIA driver": Nvidia(cards=(CARD,)),
    "the NVIDIA driver is not loaded": Nvidia(cards=(CARD,), on_disk="580.95.05"),
    "nvidia-smi is missing": with_(MISMATCH, error="", status=None),
    "the GPU does not answer": with_(MISMATCH, error="No devices were found", status=6),
    "the NVIDIA driver is too old": Nvidia.from_lines(
        INVENTED.replace("7.5", "7.5").replace("580.95.05", "570.133.20").splitlines()
    ),
    "CUDA is too old": with_(GOOD, cuda="12.8"),
}


@pytest.mark.parametrize("what", TROUBLES)
def test_trouble_fails_only_where_the_gpu_is_required(what: str) -> None:
    required = verdict(TROUBLES[what], stack(gpu="required"))
    assert [f.what for f in required.failures] == [what]
    assert required.failures[0].remedy and not required.usable
    auto = verdict(TROUBLES[what], stack(gpu="auto"))
    assert not auto.failures and not auto.usable and len(auto.notes) == 1


@pytest.mark.parametrize("module", ["nouveau", "nova_core", "vfio-pci"])
def test_who_holds_the_card_is_named(module: str) -> None:
    held = Nvidia(cards=(Card("0000:01:00.0", "0x1e84", module),), modules=frozenset({module}))
    trouble = diagnose(held, stack())
    assert trouble is not None
    assert trouble.what == "the GPU is in other hands" and module in trouble.cause


def test_secure_boot_is_named() -> None:
    trouble = diagnose(Nvidia(cards=(CARD,), on_disk="580.95.05", has_secure_boot=True), stack())
    assert trouble is not None
    assert "Secure Boot" in trouble.cause and "mokutil --import" in trouble.remedy


def test_a_mismatch_holds_what_runs() -> None:
    assert verdict(MISMATCH, stack()).hold
    assert "sudo reboot" in verdict(MISMATCH, stack()).notes[0]
    assert not verdict(Nvidia(), stack()).hold


def test_versions_are_shown_with_what_was_asked_for() -> None:
    trouble = diagnose(with_(GOOD, cuda="12.8"), stack())
    assert trouble is not None
    assert "12.8" in trouble.cause and "13.0" in trouble.cause


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


@given(st.lists(st.text()))
def test_no_output_makes_the_parser_fail(lines: list[str]) -> None:
    Nvidia.from_lines(["##smi", "status=0", *(f"csv={line}" for line in lines), *lines, "##pci",
                       *lines, "##proc", *lines, "##kernel", *lines])  # fmt: skip
