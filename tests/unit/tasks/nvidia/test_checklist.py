"""The checklist: each fault at its place, with its remedy, and nothing told that it hides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.nvidia.checklist import LEAST_GPU_MEMORY, LOOKS, Finding, checklist, diagnose
from tasks.nvidia.observed import Card, Nvidia
from tests.unit.tasks.nvidia.samples import (
    ADDRESS,
    BARE,
    DESKTOP,
    GOOD,
    MISMATCH,
    OLLAMA,
    SECOND,
    gpu,
    held_by,
    log,
    look,
    process,
    stack,
    with_driver,
)

NAMES = [name for name, _ in LOOKS]


def finding(nvidia: Nvidia, name: str) -> Finding:
    return next(found for found in checklist(nvidia, stack()) if found.name == name)


def test_the_list_is_in_the_order_in_which_a_person_would_debug() -> None:
    assert [found.name for found in checklist(GOOD, stack())] == [
        "card",
        "who holds it",
        "Secure Boot",
        "driver on disk",
        "driver loaded",
        "driver and libraries",
        "nvidia-smi",
        "driver version",
        "CUDA",
        "GPU memory",
        "persistence",
    ]


def test_all_is_ok_on_a_good_host_and_no_remedy_is_told() -> None:
    assert {found.verdict for found in checklist(GOOD, stack())} == {"ok"}
    assert not any(found.remedy for found in checklist(GOOD, stack()))


FAULTS = [
    pytest.param(Nvidia(), "card", "no NVIDIA card", "power cable", id="fault 5: no card"),
    pytest.param(held_by("nouveau"), "who holds it", "nouveau", "reboot", id="fault 5: nouveau"),
    pytest.param(held_by("nova_core"), "who holds it", "nova_core", "reboot", id="fault 5: nova"),
    pytest.param(held_by("vfio-pci"), "who holds it", "vfio-pci", "unbind", id="vfio"),
    pytest.param(
        replace(BARE, on_disk="580.95.05", has_secure_boot=True),
        "Secure Boot", "580.95.05", "mokutil --import", id="fault 5: Secure Boot",
    ),
    pytest.param(
        BARE, "driver on disk", "no driver", 'driver = "install"', id="fault 5: no driver"
    ),
    pytest.param(
        replace(BARE, on_disk="580.95.05"),
        "driver loaded", "580.95.05", "modprobe", id="not loaded",
    ),
    pytest.param(
        replace(BARE, on_disk="580.95.05", is_fresh=True, has_secure_boot=True),
        "driver loaded", "after this system had started", "reboot", id="installed just now",
    ),
    pytest.param(MISMATCH, "driver and libraries", "580.105.08", "reboot", id="fault 4"),
    pytest.param(
        replace(MISMATCH, error="", status=None),
        "nvidia-smi", "nvidia-smi is missing", "nvidia-utils-580", id="no nvidia-smi",
    ),
    pytest.param(
        replace(MISMATCH, error="No devices were found", status=6),
        "nvidia-smi", "No devices were found", "NVRM", id="no device",
    ),
    pytest.param(
        replace(MISMATCH, error="", status=124),
        "nvidia-smi", "within 20 s", "NVRM", id="nvidia-smi hangs",
    ),
    pytest.param(
        with_driver("570.133.20"),
        "driver version", "580.95", 'driver = "install"', id="fault 6: driver",
    ),
    pytest.param(replace(GOOD, cuda="12.8"), "CUDA", "13.0", "newer driver", id="fault 6: CUDA"),
]  # fmt: skip


@pytest.mark.parametrize(("nvidia", "name", "finding", "remedy"), FAULTS)
def test_faults_4_5_6_are_named_at_their_place_and_hide_what_comes_behind(
    nvidia: Nvidia, name: str, finding: str, remedy: str
) -> None:
    found = checklist(nvidia, stack())
    at = NAMES.index(name)
    assert [f.verdict for f in found[at:]] == ["fault"] + ["not reached"] * (len(NAMES) - at - 1)
    assert "fault" not in {f.verdict for f in found[:at]}
    assert finding in found[at].finding and remedy in found[at].remedy
    assert diagnose(nvidia, stack()) == found[at].trouble


def test_fault_6_shows_both_versions() -> None:
    assert "570.133.20" in finding(with_driver("570.133.20"), "driver version").finding
    assert "12.8" in finding(replace(GOOD, cuda="12.8"), "CUDA").finding


def test_fault_6_the_oldest_driver_of_several_cards_is_judged() -> None:
    old = replace(GOOD.gpus[0], index=1, uuid=SECOND, driver="570.133.20")
    found = finding(replace(GOOD, gpus=(*GOOD.gpus, old)), "driver version")
    assert found.verdict == "fault" and "570.133.20" in found.finding


def test_a_second_card_in_other_hands_is_a_warning() -> None:
    spare = Card("0000:02:00.0", "0x1b80", "vfio-pci")
    found = finding(replace(GOOD, cards=(*GOOD.cards, spare)), "who holds it")
    assert found.verdict == "warning" and "0000:02:00.0" in found.finding
    assert diagnose(replace(GOOD, cards=(*GOOD.cards, spare)), stack()) is None


def test_a_card_that_only_nvidia_smi_sees_is_well() -> None:
    under_wsl = replace(GOOD, cards=(), modules=frozenset(), loaded="", on_disk="")
    assert {found.verdict for found in checklist(under_wsl, stack())} == {"ok"}


def test_fault_4_a_driver_that_waits_for_the_next_reboot_works_until_then() -> None:
    found = finding(replace(GOOD, on_disk="580.105.08"), "driver loaded")
    assert found.verdict == "warning" and "580.105.08" in found.finding
    assert diagnose(replace(GOOD, on_disk="580.105.08"), stack()) is None


def test_unknown_cuda_is_a_warning() -> None:
    assert finding(look(xml=""), "CUDA").verdict == "warning"


def with_memory(total: int | None, used: int, processes: str) -> Nvidia:
    seen = look(xml=log(gpu(processes)))
    gpus = tuple(replace(g, memory_total=total, memory_used=used) for g in seen.gpus)
    return replace(seen, gpus=gpus)


@pytest.mark.parametrize(
    ("total", "used", "processes", "expected"),
    [
        (LEAST_GPU_MEMORY, 0, "", "ok"),
        (LEAST_GPU_MEMORY - 1, 0, "", "warning"),
        (8192, 5200, DESKTOP + OLLAMA, "ok"),
        (8192, 5200, DESKTOP + process(9, "C", "/usr/bin/python3", "5000 MiB"), "warning"),
        (None, 0, DESKTOP, "ok"),
    ],
)
def test_memory_is_judged_by_what_others_leave(
    total: int | None, used: int, processes: str, expected: str
) -> None:
    assert finding(with_memory(total, used, processes), "GPU memory").verdict == expected


def test_who_uses_the_memory_is_told_with_how_much() -> None:
    found = finding(with_memory(8192, 412, DESKTOP), "GPU memory").finding
    assert found == "0: 8192 MiB, 412 used by /usr/lib/xorg/Xorg (PID 1702) 180 MiB"


@pytest.mark.parametrize(
    ("processes", "persistence", "expected"),
    [
        ("", "Disabled", "warning"),
        (OLLAMA, "Disabled", "warning"),
        (DESKTOP, "Disabled", "ok"),
        ("", "Enabled", "ok"),
        ("", "N/A", "ok"),
    ],
)
def test_persistence_matters_where_no_desktop_keeps_the_driver_awake(
    processes: str, persistence: str, expected: str
) -> None:
    seen = look(xml=log(gpu(processes, persistence=persistence)))
    assert finding(seen, "persistence").verdict == expected


def test_who_holds_the_card_is_named_with_its_address() -> None:
    assert ADDRESS in finding(held_by("nouveau"), "who holds it").finding


def test_report_7_a_card_that_is_too_old_is_said_to_be_so_before_anything_else() -> None:
    kepler = Card(ADDRESS, "0x1180", "nouveau")
    found = finding(replace(BARE, cards=(kepler,), modules=frozenset({"nouveau"})), "card")
    assert found.verdict == "fault" and "compute capability 5.0" in found.finding
    assert 'gpu = "off"' in found.remedy
    under_wsl = replace(GOOD, cards=(), gpus=(replace(GOOD.gpus[0], compute_capability="3.5"),))
    assert "compute capability 3.5" in finding(under_wsl, "card").finding
    unknown = replace(GOOD, cards=(), gpus=(replace(GOOD.gpus[0], compute_capability=""),))
    assert finding(unknown, "card").verdict == "ok"
    beside = finding(replace(GOOD, cards=(*GOOD.cards, kepler)), "card")
    assert beside.verdict == "warning" and "let it be" in beside.remedy
