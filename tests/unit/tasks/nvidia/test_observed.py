"""The parsers of the look at a host's cards, on invented output (see samples.py)."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.nvidia.look import SCRIPT, look_at_nvidia
from tasks.nvidia.observed import Card, Nvidia, driver_version
from tasks.nvidia.smi_log import Process, SmiLog
from tasks.shell.local import LocalShell
from tests.unit.tasks.nvidia.samples import (
    ADDRESS,
    DESKTOP,
    FIRST,
    GOOD,
    OLLAMA,
    OPEN,
    ROW,
    SECOND,
    gpu,
    log,
    look,
    process,
)


def test_a_card_is_parsed() -> None:
    (card,) = GOOD.gpus
    assert (card.index, card.name, card.uuid) == (0, "NVIDIA GeForce RTX 2070 SUPER", FIRST)
    assert (card.memory_total, card.memory_used, card.compute_capability) == (8192, 412, "7.5")
    assert (GOOD.driver, GOOD.cuda, GOOD.loaded) == ("580.95.05", "13.0", "580.95.05")
    assert GOOD.cards == (Card(ADDRESS, "0x1e84", "nvidia"),)
    assert GOOD.kernel == "6.8.0-79-generic"


def test_the_log_tells_persistence_and_every_user_of_the_memory() -> None:
    (card,) = look(xml=log(gpu(DESKTOP + OLLAMA, persistence="Enabled"))).gpus
    assert card.log.is_persistent is True
    assert card.log.processes == (
        Process(1702, "/usr/lib/xorg/Xorg", "G", 180),
        Process(4711, "/bin/ollama runner --port 40001", "C", 5000),
    )
    assert [found.is_ollama for found in card.log.processes] == [False, True]


def test_two_cards_keep_their_own_logs_and_the_older_driver_counts() -> None:
    second = f"1, NVIDIA GeForce GTX 1080, {SECOND}, 8192, 9, 570.133.20, 6.1"
    seen = look((ROW, second), log(gpu(""), gpu(uuid=SECOND, persistence="Enabled")))
    assert [card.log.is_persistent for card in seen.gpus] == [False, True]
    assert [len(card.log.processes) for card in seen.gpus] == [0, 1]
    assert seen.driver == "570.133.20"


def test_what_nvidia_smi_does_not_know_is_unknown() -> None:
    row = f"0, NVIDIA GB10, {FIRST}, [N/A], [N/A], 580.95.05, [N/A]"
    unnamed = process(9, "C", "[N/A]", "N/A")
    (card,) = look((row,), log(gpu(unnamed, persistence="N/A"), cuda="N/A")).gpus
    assert (card.memory_total, card.memory_used, card.compute_capability) == (None, None, "")
    assert card.log.is_persistent is None
    assert card.log.processes == (Process(9, "", "C", None),)
    assert look(xml=log(cuda="N/A")).cuda == ""


def test_a_card_that_is_split_by_mig_is_one_card_whose_use_may_be_hidden() -> None:
    row = f"0, NVIDIA A100-PCIE-40GB, {FIRST}, 40960, [Insufficient Permissions], 580.95.05, 8.0"
    slices = (
        "<mig_devices><mig_device><index>0</index><uuid>MIG-1</uuid></mig_device></mig_devices>"
    )
    hidden = process(77, "C", "[Insufficient Permissions]", "[Insufficient Permissions]")
    split = gpu(hidden).replace("\t\t<processes>", f"\t\t{slices}\n\t\t<processes>")
    (card,) = look((row,), log(split)).gpus
    assert (card.memory_total, card.memory_used) == (40960, None)
    assert card.log.processes == (Process(77, "", "C", None),)


@pytest.mark.parametrize("length", range(0, len(log(gpu())), 97))
def test_a_log_that_was_cut_gives_nothing_and_the_table_still_counts(length: int) -> None:
    seen = look(xml=log(gpu())[:length])
    assert seen.cuda == "" and seen.gpus[0].log.processes == ()
    assert seen.gpus[0].memory_total == 8192


@pytest.mark.parametrize("text", ["<a><b></a>", "no XML", "", "<a>&lol;</a>", "\0"])
def test_what_is_no_log_gives_nothing(text: str) -> None:
    assert SmiLog.from_xml(text) == SmiLog()


def test_a_card_that_nobody_holds_is_parsed_and_what_is_no_card_is_not() -> None:
    lines = ["##pci", "0000:01:00.0 0x1e84 ", "0000:02:00.0 nouveau", "0000:03:00.0"]
    (card,) = Nvidia.from_lines(lines).cards
    assert (card.device_id, card.driver) == (0x1E84, "")


def test_no_line_of_the_log_begins_a_section() -> None:
    assert look(xml="##pci\n0000:09:00.0 0x1e84 nouveau").cards == GOOD.cards


@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        ("mokutil=SecureBoot enabled", True),
        ("mokutil=SecureBoot disabled\nsecure_boot=1", False),
        ("mokutil=EFI variables are not supported on this system", False),
        ("secure_boot=1", True),
        ("secure_boot=0", False),
        ("", False),
    ],
)
def test_mokutil_is_believed_before_the_variable(kernel: str, expected: bool) -> None:
    assert look(kernel=kernel).has_secure_boot is expected


def test_driver_version_of_both_kinds_of_module() -> None:
    closed = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23 10:11:16 UTC"
    assert driver_version([OPEN]) == driver_version([closed]) == "580.95.05"
    assert driver_version(["GCC version:  gcc version 13.3.0"]) == ""


@given(st.lists(st.text()))
def test_no_output_makes_the_parser_fail(lines: list[str]) -> None:
    rows = [f"{kind}={line}" for kind in ("csv", "xml") for line in lines]
    Nvidia.from_lines(["##smi", "status=0", *rows, *lines, "##pci", *lines, "##proc", *lines,
                       "##kernel", *lines])  # fmt: skip


def test_the_script_keeps_the_two_answers_of_nvidia_smi_apart(tmp_path: Path) -> None:
    whole = log(gpu(DESKTOP * 200))
    first, second = whole[:20000], whole[20000:]
    stub = tmp_path / "nvidia-smi"
    # The log comes in halves, the second one after the table was answered.
    stub.write_text(
        "#!/bin/sh\ncase $1 in -q)\n"
        f"printf %s {shlex.quote(first)}; sleep 0.3; printf %s {shlex.quote(second)}\n"
        f";; *) echo '{ROW}';; esac\n"
    )
    stub.chmod(0o755)
    script = f"PATH={tmp_path}:$PATH\n{SCRIPT}"
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
    seen = Nvidia.from_lines(shown.stdout.splitlines())
    assert seen.cuda == "13.0" and len(seen.gpus[0].log.processes) == 200


def test_the_script_runs_on_this_machine() -> None:
    assert look_at_nvidia(LocalShell()).kernel
