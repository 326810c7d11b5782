"""What a generation proves about the GPU. No GPU is claimed: every number here is made up."""

from __future__ import annotations

import json

import pytest

from tasks.ollama import generation
from tasks.ollama.generation import Memory, Proof, generate, is_slower, left_gpu
from tasks.ollama.observed import LoadedModel, ObservedServer
from tasks.shell import Result
from tests.unit.tasks.samples import stack

URL = "http://127.0.0.1:11434"
GIB = 1024**3
SERVICE = stack(gpu="auto").services[0]
MODEL = SERVICE.model


class Answers:
    """A shell on which a server generated and nvidia-smi told the used memory twice."""

    def __init__(self, share: float, memory: tuple[str, ...]) -> None:
        self.share, self.memory = share, memory

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        if "gpu-memory" not in script:
            return Result(True, "", "")
        reply = {"done": True, "eval_count": 8, "eval_duration": 200_000_000}
        loaded = {"name": "m:1", "size": 4 * GIB, "size_vram": round(4 * GIB * self.share)}
        before, after = (*self.memory, "", "")[:2]
        lines = [
            *filter(None, [before]),
            json.dumps(reply),
            f"#200 {URL}/api/generate",
            json.dumps({"models": [loaded]}),
            f"#200 {URL}/api/ps",
            *filter(None, [after]),
        ]
        return Result(True, "\n".join(lines), "")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generation, "RECOVERY_SECONDS", 0)


def proof(share: float, *memory: str, unload: bool = True) -> Proof:
    shell = Answers(share, memory)
    return generate(shell, URL, "m:1", "ollama-qwen", limit=60, unload=unload)


def test_a_generation_on_the_gpu_makes_its_used_memory_grow() -> None:
    found = proof(1.0, "gpu-memory=412", "gpu-memory=4608")
    assert found.verdict == "GPU"
    assert found.finding == "8 tokens on GPU, 40 tokens/s, memory of the GPU 412 → 4608 MiB"


def test_fault_3_a_card_whose_memory_did_not_grow_proves_nothing() -> None:
    found = proof(1.0, "gpu-memory=412", "gpu-memory=412")
    assert found.is_unproven
    assert found.verdict == "GPU (unproven)"


def test_fault_2_a_part_on_the_gpu_is_a_percentage() -> None:
    assert proof(0.43, "gpu-memory=412", "gpu-memory=2300").verdict == "GPU 43 %"


def test_on_the_cpu_the_memory_of_the_card_does_not_matter() -> None:
    assert proof(0.0, "gpu-memory=412", "gpu-memory=412").verdict == "CPU"


@pytest.mark.parametrize("memory", [(), ("gpu-memory=412",)])
def test_without_a_card_that_tells_the_server_is_believed(memory: tuple[str, ...]) -> None:
    assert proof(1.0, *memory).memory is None
    assert proof(1.0, *memory).verdict == "GPU"


def test_a_model_that_was_loaded_before_need_not_grow() -> None:
    assert proof(1.0, "gpu-memory=4608", "gpu-memory=4608", unload=False).verdict == "GPU"


def test_others_may_give_memory_back_meanwhile() -> None:
    assert Memory(before=2000, after=4000, claimed=4 * GIB).has_grown
    assert not Memory(before=2000, after=2100, claimed=4 * GIB).has_grown


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
