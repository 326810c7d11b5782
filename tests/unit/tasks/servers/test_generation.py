"""What a generation proves about the GPU. No GPU is claimed: every number here is made up."""

from __future__ import annotations

import pytest

from tasks.containers.observed import LoadedModel, ObservedServer
from tasks.servers.generation import Proof, generate, is_slower, left_gpu
from tests.unit.tasks.servers.generating import GIB, MODEL, SERVICE, URL, Answers, seen
from tests.unit.tasks.servers.gpu_card import lines


def proof(share: float, *memory: tuple[list[str], list[str]], unload: bool = True) -> Proof:
    shell = Answers(share, *memory)
    return generate(shell, URL, MODEL, "ollama-qwen", limit=60, unload=unload)


def test_a_generation_on_the_gpu_makes_its_used_memory_grow() -> None:
    found = proof(1.0, seen(412, 4608))
    assert found.verdict == "GPU"
    assert found.finding == "8 tokens on GPU, 40 tokens/s, memory of the GPU +4196 MiB"


def test_fault_3_a_card_whose_memory_did_not_grow_proves_nothing() -> None:
    found = proof(1.0, seen(412, 412))
    assert found.is_unproven
    assert found.verdict == "GPU (unproven)"


def test_fault_2_a_part_on_the_gpu_is_a_percentage() -> None:
    assert proof(0.43, seen(412, 2300)).verdict == "GPU 43 %"


def test_on_the_cpu_the_memory_of_the_card_does_not_matter() -> None:
    assert proof(0.0, seen(412, 412)).verdict == "CPU"


@pytest.mark.parametrize("memory", [([], []), (seen(412, 412)[0], [])])
def test_without_a_card_that_tells_the_server_is_believed(
    memory: tuple[list[str], list[str]],
) -> None:
    assert proof(1.0, memory).memory is None
    assert proof(1.0, memory).verdict == "GPU"


def test_fault_1_of_the_card_one_that_is_never_quiet_proves_and_disproves_nothing() -> None:
    restless = (lines("before", [412, 900] * 5, []), lines("after", [412], []))
    assert proof(1.0, restless).verdict == "GPU"
    assert proof(1.0, restless).memory is None


def test_fault_1_of_the_card_room_that_was_made_for_a_model_does_not_speak_against_it() -> None:
    """Where only totals are told: the model before it left while it loaded. It is asked again."""
    shell = Answers(1.0, seen(5000, 5100), seen(904, 5100))
    found = generate(shell, URL, MODEL, "ollama-qwen", limit=60, unload=True)
    assert found.verdict == "GPU"
    assert len(shell.scripts) == 2


@pytest.mark.parametrize(
    ("memory", "asked", "unloaded"), [([seen(412, 4608)], 1, 0), ([seen(412, 412)] * 2, 2, 1)]
)
def test_only_an_unproven_generation_is_asked_for_again_and_loads_the_model_anew(
    memory: list[tuple[list[str], list[str]]], asked: int, unloaded: int
) -> None:
    """What the first one loaded would not make the memory grow again."""
    shell = Answers(1.0, *memory)
    generate(shell, URL, MODEL, "ollama-qwen", limit=60, unload=True, keep=True)
    assert (len(shell.scripts), shell.unloaded) == (asked, unloaded)


def test_a_model_that_was_loaded_before_need_not_grow() -> None:
    assert proof(1.0, seen(4608, 4608), unload=False).verdict == "GPU"


def test_a_card_is_not_waited_for_where_it_decides_nothing() -> None:
    shell = Answers(1.0)
    generate(shell, URL, MODEL, "ollama-qwen", limit=60, unload=False)
    assert "nvidia-smi" not in "".join(shell.scripts)


@pytest.mark.parametrize(
    ("rate", "known", "expected"),
    [(20, 45, True), (30, 45, False), (20, 0, False), (0, 45, False), (200, 900, False)],
)
def test_only_a_rate_far_below_the_known_one_is_slower(
    rate: float, known: float, expected: bool
) -> None:
    """The last one: 8 tokens in 40 ms are too short to be measured."""
    assert is_slower(Proof("m:1", 8, rate, 1.0), known) is expected


@pytest.mark.parametrize(
    ("vram", "proven", "part"),
    [
        (4 * GIB, {MODEL}, ""),
        (0, {MODEL}, "is on CPU now, and was on the GPU when proven"),
        (GIB, {MODEL}, "is on GPU 25 % now"),
        (0, set(), ""),
        (0, {"other:1"}, ""),
    ],
)
def test_fault_2_a_loaded_model_that_left_the_gpu_is_told(
    vram: int, proven: set[str], part: str
) -> None:
    server = ObservedServer("0.24.0", {}, (LoadedModel(MODEL, 4 * GIB, vram, 4096),))
    told = left_gpu(server, SERVICE, proven)
    assert part in told
    assert bool(told) is bool(part)


def test_a_part_that_is_allowed_has_not_left_the_gpu() -> None:
    server = ObservedServer("0.24.0", {}, (LoadedModel(MODEL, 4 * GIB, GIB, 4096),))
    allowed = SERVICE.model_copy(update={"gpu_partial": True})
    assert left_gpu(server, allowed, {MODEL}) == ""
