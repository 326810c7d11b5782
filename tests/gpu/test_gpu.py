"""What only a real NVIDIA card can show. Skipped, with the reason, where nvidia-smi shows none."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from console.app.cells import gpu_line
from console.looking.gpu import GpuReader
from tasks.declared.layers import defaults_layer, merge
from tasks.declared.stack import Stack, declare
from tasks.nvidia.checklist import checklist
from tasks.nvidia.look import look_at_nvidia
from tasks.nvidia.observed import Nvidia
from tasks.servers.gpu_memory import FUNCTIONS, PREFIX
from tasks.shell.local import LocalShell


def smi(*words: str) -> list[str]:
    """Return the lines that nvidia-smi itself prints; none where it fails or is missing."""
    if shutil.which("nvidia-smi") is None:
        return []
    done = subprocess.run(
        ["nvidia-smi", *words], text=True, capture_output=True, check=False, timeout=60
    )
    return done.stdout.splitlines() if done.returncode == 0 else []


pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not smi("-L"), reason="nvidia-smi shows no card on this machine"),
]


def asked(field: str) -> list[str]:
    """Return one field of every card, by a question of its own."""
    return smi(f"--query-gpu={field}", "--format=csv,noheader,nounits")


@pytest.fixture(scope="module")
def nvidia() -> Nvidia:
    """The look at this machine."""
    return look_at_nvidia(LocalShell())


@pytest.fixture(scope="module")
def stack() -> Stack:
    """The defaults, with the versions of this machine as the oldest that are accepted."""
    merged = merge([defaults_layer()])
    merged.values["driver_minimum"] = asked("driver_version")[0]
    merged.values["cuda_minimum"] = "1.0"
    return declare(merged)


def test_the_look_tells_what_nvidia_smi_tells(nvidia: Nvidia) -> None:
    assert [gpu.name for gpu in nvidia.gpus] == asked("name")
    assert [gpu.uuid for gpu in nvidia.gpus] == asked("uuid")
    assert [gpu.driver for gpu in nvidia.gpus] == asked("driver_version")
    known = [str(gpu.memory_total) for gpu in nvidia.gpus if gpu.memory_total is not None]
    assert known == [size for size in asked("memory.total") if size.isdecimal()]


def test_the_log_tells_cuda_and_persistence_as_the_table_does(nvidia: Nvidia) -> None:
    assert nvidia.cuda and f"CUDA Version: {nvidia.cuda}" in "\n".join(smi())
    modes = {True: "Enabled", False: "Disabled"}
    shown = [
        modes[gpu.log.is_persistent] for gpu in nvidia.gpus if gpu.log.is_persistent is not None
    ]
    assert shown == [mode for mode in asked("persistence_mode") if mode in modes.values()]


def test_the_checklist_is_reached_to_its_end_without_a_fault(nvidia: Nvidia, stack: Stack) -> None:
    found = checklist(nvidia, stack)
    assert [f for f in found if f.verdict in ("fault", "not reached")] == []


def test_fault_1_of_the_card_the_proof_sees_the_memory_and_the_processes() -> None:
    said = LocalShell().sh(f"{FUNCTIONS}\ngpu_before; gpu_after").stdout.splitlines()
    assert all(line.startswith(PREFIX) for line in said)
    used = [line.split()[2] for line in said if line.split()[1] == "used"]
    tells = all(size.isdecimal() for size in asked("memory.used"))
    assert used and all(size.isdecimal() is tells for size in used)
    assert f"{PREFIX}before listed" in said and f"{PREFIX}after listed" in said


def test_a_container_sees_the_cards() -> None:
    if shutil.which("docker") is None or shutil.which("nvidia-ctk") is None:
        pytest.skip("Docker or the NVIDIA Container Toolkit is missing on this machine")
    image = declare(merge([defaults_layer()])).image
    if not LocalShell().sh(f"docker image inspect {image}").ok:
        pytest.skip(f"{image} is not on this machine: ./main.sh setup pulls it")
    command = ["docker", "run", "--rm", "--gpus", "all", "--entrypoint", "nvidia-smi", image, "-L"]
    done = subprocess.run(command, text=True, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == smi("-L")


def test_the_apps_header_shows_what_nvidia_smi_says() -> None:
    readings = GpuReader().read()
    assert readings.reason == ""
    assert [card.name for card in readings.cards] == asked("name")
    assert [card.driver for card in readings.cards] == asked("driver_version")
    totals = [int(mib) for mib in asked("memory.total")]
    assert [round((card.memory_total or 0) / 1024**2) for card in readings.cards] == totals
    for card in readings.cards:
        assert card.name in gpu_line(readings)
        assert 0 <= (card.memory_used or 0) <= (card.memory_total or 0)
