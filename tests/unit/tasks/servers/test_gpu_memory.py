"""What the memory of the GPU says of a model: replayed from a real card, and made up where said."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.servers import gpu_memory
from tasks.servers.gpu_memory import FUNCTIONS, MIB, Look, Memory, growth, measured
from tests.unit.tasks.servers.gpu_card import (
    HOG,
    Card,
    lines,
    recorded,
    recorded_processes,
    rows_of,
)

MODELS = recorded()
QWEN, DEEPSEEK, MISTRAL = (
    MODELS[name] for name in ("qwen2.5-coder:1.5b", "deepseek-r1:8b", "mistral:7b")
)
IDLE = MISTRAL.used_before
HELD = recorded_processes()[HOG]
GIB = 1024**3
# MiB by PID, with PIDs of any namespace.
HOLDERS = st.dictionaries(st.integers(1, 10**7), st.integers(0, 80_000), max_size=6)


def grown(said: list[str], claimed: int) -> int | None:
    found = measured("\n".join(said), claimed)
    return None if found is None else found.grown


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card.made(tmp_path)


def test_fault_1_of_the_card_mistral_is_proven_while_deepseek_is_leaving(card: Card) -> None:
    """The failure of the recording: read at once, the used memory "grew" by -122 MiB."""
    card.shows(DEEPSEEK.used_with, DEEPSEEK.used_with, 139_000, 137_100, IDLE)
    before = card.run("gpu_before")
    card.shows(MISTRAL.used_with)
    found = measured(before + card.run("gpu_after"), MISTRAL.claimed)
    assert MISTRAL.used_with - DEEPSEEK.used_with == -122
    assert found == Memory(6119, MISTRAL.claimed)
    assert found.has_grown


def test_fault_1_of_the_card_deepseek_counts_whole_while_qwen_is_leaving(card: Card) -> None:
    """The doctor's wrong figure of the recording: 3.7 GB of a model of 6.2 GB."""
    card.shows(QWEN.used_with, QWEN.used_with, QWEN.used_with, IDLE)
    before = card.run("gpu_before")
    card.shows(DEEPSEEK.used_with)
    found = measured(before + card.run("gpu_after"), DEEPSEEK.claimed)
    assert DEEPSEEK.used_with - QWEN.used_with == 3712
    assert found is not None and found.grown == 6241


def test_fault_1_of_the_card_processes_decide_though_the_card_is_never_quiet(card: Card) -> None:
    noise = [DEEPSEEK.used_with - 300 * (n % 2) for n in range(40)]
    card.shows(*noise, processes=rows_of(recorded_processes()))
    before = card.run("gpu_before")
    card.shows(IDLE, processes=rows_of({HOG: HELD, 7001: MISTRAL.held}))
    found = measured(before + card.run("gpu_after"), MISTRAL.claimed)
    assert found is not None and found.grown == MISTRAL.held


@pytest.mark.parametrize("name", MODELS)
def test_each_recorded_model_is_borne_out_either_way(name: str) -> None:
    model = MODELS[name]
    by_total = lines("before", [IDLE] * 4) + lines("after", [model.used_with])
    by_process = lines("before", [IDLE], rows_of({HOG: HELD}))
    by_process += lines("after", [model.used_with], rows_of({HOG: HELD, 5595: model.held}))
    for said in (by_total, by_process):
        found = measured("\n".join(said), model.claimed)
        assert found is not None and found.has_grown
    assert grown(by_process, model.claimed) == model.held


def test_fault_3_a_card_that_did_not_grow_bears_nothing_out() -> None:
    """A server that fell back to the CPU in silence, and says GPU."""
    alone = rows_of({HOG: HELD})
    for processes in (None, alone):
        said = lines("before", [IDLE] * 4, processes) + lines("after", [IDLE], processes)
        found = measured("\n".join(said), MISTRAL.claimed)
        assert found is not None and not found.has_grown


def test_fault_3_what_leaves_does_not_hide_that_nothing_came() -> None:
    said = lines("before", [DEEPSEEK.used_with], rows_of(recorded_processes()))
    said += lines("after", [IDLE], rows_of({HOG: HELD}))
    assert grown(said, MISTRAL.claimed) == 0


@pytest.mark.parametrize(
    "before",
    [
        pytest.param([1000, 1300, 900, 1250, 1000, 1400], id="a noisy neighbour"),
        pytest.param([7000, 5000, 3000, 1000], id="still falling"),
        pytest.param([1000, 1000], id="a card that was lost meanwhile"),
        pytest.param([], id="no card"),
    ],
)
def test_fault_1_of_the_card_a_baseline_that_is_not_quiet_tells_nothing(before: list[int]) -> None:
    assert grown(lines("before", before) + lines("after", [6000]), 4 * GIB) is None


def test_fault_1_of_the_card_a_total_that_fell_below_its_baseline_tells_nothing() -> None:
    assert growth(Look((5000,) * 4), Look((3000,))) is None
    assert growth(Look((5000,) * 4), Look((4990,))) == -10


def test_a_desktop_that_draws_a_window_is_quiet() -> None:
    assert growth(Look((1000, 1012, 996, 1004)), Look((5004,))) == 4000


@pytest.mark.parametrize(
    "row",
    ["5595, [N/A]", "[N/A], [N/A]", "5595, [Insufficient Permissions]", "5595, ollama, 6236",
     f"{'9' * 5000}, 6236", "-3, 6236"],
)  # fmt: skip
def test_fault_1_of_the_card_a_process_without_its_figure_leaves_it_to_the_total(row: str) -> None:
    hog = rows_of({HOG: HELD})
    said = lines("before", [IDLE] * 4, hog)
    said += lines("after", [MISTRAL.used_with], [*hog, row])
    assert grown(said, MISTRAL.claimed) == 6119


def test_fault_1_of_the_card_a_driver_that_lists_nobody_leaves_it_to_the_total() -> None:
    """So it is under WSL. A list that failed is none: there the other process has not left."""
    said = lines("before", [412] * 4, []) + lines("after", [4508], [])
    assert grown(said, 4 * GIB) == 4096
    said = lines("before", [412] * 4, ["9, 300"]) + lines("after", [4508])
    assert grown(said, 4 * GIB) == 4096


def test_a_process_counts_on_each_card() -> None:
    before = lines("before", [2000] * 4, ["7, 900", "7, 900", "8, 200"])
    after = lines("after", [1], ["7, 900", "9, 3000", "7, 900", "9, 2500"])
    assert grown(before + after, 5 * GIB) == 5500


def test_several_cards_are_added_up_and_one_that_does_not_tell_hides_the_total(card: Card) -> None:
    for used, claimed, expected in (("412\n100", 4 * GIB, 4096), ("[N/A]\n100", 4 * GIB, None)):
        card.shows(used)
        before = card.run("gpu_before")
        card.shows(used.replace("100", "4196"))
        assert grown([before, card.run("gpu_after")], claimed) == expected


def test_cards_that_do_not_tell_their_totals_may_tell_of_processes(card: Card) -> None:
    card.shows("[N/A]", processes=["9, 300"])
    before = card.run("gpu_before")
    card.shows("[N/A]", processes=["9, 300", "10, 4096"])
    assert grown([before, card.run("gpu_after")], 4 * GIB) == 4096


def test_other_lines_are_no_samples() -> None:
    said = [
        '{"response": "gpu-memory=before used 1"}', "", "##", "gpu-memory=", "gpu-memory=later",
        "gpu-memory=before used", "gpu-memory=after process",
    ]  # fmt: skip
    assert grown(said, GIB) is None
    assert grown([*said, *lines("before", [1] * 4), *lines("after", [9])], GIB) is None
    assert grown([*said[:5], *lines("before", [1] * 4), *lines("after", [9])], GIB) == 8


@given(st.text(), st.lists(st.sampled_from(["used ", "listed", "process ", "1, 2", "x, "])))
def test_whatever_is_printed_is_read_without_an_error(text: str, parts: list[str]) -> None:
    said = [f"gpu-memory={when} {''.join(parts)}{text}" for when in ("before", "after")]
    assert grown(said, GIB) is None or isinstance(grown(said, GIB), int)


@given(others=HOLDERS, data=st.data(), model=st.integers(1, 80_000))
def test_fault_1_of_the_card_memory_given_back_never_decides_where_processes_are_told(
    others: dict[int, int], data: st.DataObject, model: int
) -> None:
    """Others shrink and leave as they like, and the totals say anything."""
    totals = st.lists(st.integers(0, 10**6), max_size=6).map(tuple)
    kept = {pid: data.draw(st.integers(0, held)) for pid, held in others.items()}
    left = data.draw(st.sets(st.sampled_from(sorted(kept)))) if kept else set()
    later = {pid: held for pid, held in kept.items() if pid not in left}
    before = Look(data.draw(totals), others)
    after_totals = data.draw(totals)
    assert growth(before, Look(after_totals, {**later, 10**8: model})) == model
    if others:
        assert growth(before, Look(after_totals, later)) == 0


@given(
    falls=st.lists(st.integers(17, 9000), max_size=8),
    rest=st.integers(0, 80_000),
    model=st.integers(0, 80_000),
)
def test_fault_1_of_the_card_memory_given_back_never_decides_where_only_totals_are_told(
    falls: list[int], rest: int, model: int
) -> None:
    """Whatever falls before the question: either its end is seen, or nothing is told."""
    used = [rest + sum(falls[n:]) for n in range(len(falls))] + [rest] * 4
    for taken in range(1, len(used) + 1):
        found = growth(Look(tuple(used[:taken])), Look((rest + model,)))
        assert found == (model if taken == len(used) else None)


def test_a_quiet_card_is_waited_for_a_second_and_no_longer(card: Card) -> None:
    card.shows(412)
    said = card.run("gpu_before")
    assert card.asked == gpu_memory.QUIET_SAMPLES
    assert card.slept < 1
    assert said.splitlines() == [
        *["gpu-memory=before used 412"] * 4,
        "gpu-memory=before listed",
        "gpu-memory=before process ",
    ]


@pytest.mark.parametrize(
    ("clock", "asked"),
    [
        pytest.param([1000], gpu_memory.MOST_SAMPLES, id="a clock that stands still"),
        pytest.param([1000, 1000, 100], gpu_memory.MOST_SAMPLES, id="a clock that is set back"),
        pytest.param([1000, 1003, 1005, 1007], 3, id="an nvidia-smi that takes seconds"),
    ],
)
def test_the_wait_for_a_card_that_is_never_quiet_has_an_end(
    card: Card, clock: list[int], asked: int
) -> None:
    card.shows(*[1000 + 500 * (n % 2) for n in range(100)])
    (card.folder / "clock").write_text("".join(f"{now}\n" for now in clock))
    said = card.run("gpu_before")
    assert card.asked == asked
    assert card.slept <= gpu_memory.LONGEST
    card.shows(8000)
    assert measured(said + card.run("gpu_after"), MIB) is None


@pytest.mark.parametrize("program", ["", "#!/bin/sh\nexit 9\n", "#!/bin/sh\nsleep 0.1; exit 6\n"])
def test_a_host_without_a_card_is_not_slowed(tmp_path: Path, program: str) -> None:
    """Without nvidia-smi, or with one that fails, nothing is said and nothing waited for."""
    if program:
        (tmp_path / "nvidia-smi").write_text(program)
        (tmp_path / "nvidia-smi").chmod(0o755)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    if not program and (shutil.which("nvidia-smi") or Path("/usr/lib/wsl/lib").exists()):
        pytest.skip("this machine has nvidia-smi")
    script = f"{FUNCTIONS}\nsleep() {{ echo slept; }}\ngpu_before; gpu_after"
    done = subprocess.run(["sh", "-c", script], env=env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_what_nvidia_smi_prints_reaches_us_as_ascii(card: Card) -> None:
    card.shows("412", processes=["9, 300", "\N{DEGREE SIGN}\x1b]0;x\x07, 1"])
    said = card.run("gpu_before")
    assert said.isascii() and "\x1b" not in said
    assert measured(said + "\n".join(lines("after", [412])), MIB) == Memory(0, MIB)


def test_nvidia_smi_takes_nothing_of_what_is_meant_for_the_server(card: Card) -> None:
    assert card.run("gpu_before; cat", stdin="the question").endswith("the question")


def test_others_may_give_memory_back_meanwhile() -> None:
    assert Memory(grown=2000, claimed=4 * GIB).has_grown
    assert not Memory(grown=100, claimed=4 * GIB).has_grown


def test_the_functions_are_clean_by_shellcheck() -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    words = [str(shellcheck), "-s", "sh", "-"]
    script = f"{FUNCTIONS}\ngpu_before\ngpu_after\n"
    done = subprocess.run(words, input=script, text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout
