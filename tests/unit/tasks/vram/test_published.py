"""The arithmetic against figures that people published from their servers' logs.

Each row names the thread. Where a log does not print a hyperparameter, it is that of the model's
config.json. MiB are 2^20; Ollama prints one decimal, llama.cpp two.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from tasks.vram.arithmetic import (
    MIB,
    Settings,
    compute,
    kv_cache,
    partial_graph,
    whole_graph,
)
from tasks.vram.shape import ModelShape
from tests.unit.tasks.vram.samples import GEMMA3_12B, GPT_OSS_20B, MISTRAL_7B, QWEN25_7B, shape

OLLAMA, LLAMA_CPP = "github.com/ollama/ollama/issues/", "github.com/ggml-org/llama.cpp/pull/"

LLAMA32_3B = shape("llama", 28, 3072, 24, 8, 128, feed_forward=8192, vocabulary=128256)
LLAMA31_8B = shape("llama", 32, 4096, 32, 8, 128, feed_forward=14336, vocabulary=128256)
QWEN2_1B = shape("qwen2", 28, 1536, 12, 2, 128, feed_forward=8960, vocabulary=151936)
QWEN25_14B = shape("qwen2", 48, 5120, 40, 8, 128, feed_forward=13824, vocabulary=152064)
QWEN25_32B = shape("qwen2", 64, 5120, 40, 8, 128, feed_forward=27648, vocabulary=152064)
QWEN2_72B = shape("qwen2", 80, 8192, 64, 8, 128, feed_forward=29568, vocabulary=152064)
QWEN3_2B = shape("qwen3", 28, 2048, 16, 8, 128, feed_forward=6144, vocabulary=151936)
QWEN3_32B = shape("qwen3", 64, 5120, 64, 8, 128, feed_forward=25600, vocabulary=151936)
PHI4_14B = shape("phi3", 40, 5120, 40, 10, 128, feed_forward=17920, vocabulary=100352)
COMMAND_R = shape("command-r", 40, 8192, 64, 64, 128, feed_forward=22528, vocabulary=256000)
GPT_OSS_120B = shape(
    "gptoss", 36, 2880, 64, 8, 64, feed_forward=2880, vocabulary=201088, window=128
)


@dataclass(frozen=True)
class Published:
    """One log: `context` is that of all requests together; sizes in MiB, None where not printed."""

    source: str
    model: ModelShape
    context: int
    kv: float | None = None
    graph: float | None = None
    kind: str = "f16"

    @property
    def settings(self) -> Settings:
        return Settings(self.context, 1, self.kind, flash_attention=self.kind != "f16")


LOGS = (
    Published(f"{OLLAMA}6348", MISTRAL_7B, 2048, 256.0, 164.0),
    Published(f"{OLLAMA}8098", LLAMA32_3B, 8192, 896.0, 424.0),
    Published("github.com/intel/ipex-llm/issues/13277", QWEN25_14B, 4096, 768.0, 348.0),
    Published(f"{OLLAMA}9245", QWEN25_14B, 2048, 384.0, 307.0),
    Published(f"{OLLAMA}9362", QWEN2_1B, 8192, 224.0, 299.8),
    Published(f"{OLLAMA}5913", QWEN2_72B, 2048, 640.0, 313.0),
    Published(f"{OLLAMA}9091", QWEN25_14B, 8192, 1536.0),
    Published(f"{OLLAMA}8903", QWEN25_32B, 8192, 2048.0),
    Published(f"{OLLAMA}8990", QWEN25_7B, 8192, 448.0),
    Published(f"{OLLAMA}7408", QWEN2_72B, 16384, 5120.0),
    Published(f"{OLLAMA}13552", PHI4_14B, 4096, 800.0),
    Published(f"{OLLAMA}11499", QWEN3_32B, 8192, 2048.0),
    Published(f"{OLLAMA}13372", QWEN3_32B, 16384, 64 * 64.0),
    Published(f"{LLAMA_CPP}6122", COMMAND_R, 4096, 5120.0),
    Published("github.com/ollama/ollama/pull/12000", GEMMA3_12B, 8192, 992.0),
    Published(f"{OLLAMA}10341", GEMMA3_12B, 2048, 608.0),
    Published(f"{OLLAMA}11711", GPT_OSS_20B, 8192, 300.0),
    Published(f"{OLLAMA}12027", LLAMA31_8B, 26624, 936.0, kind="q4_0"),
)


@pytest.mark.parametrize("log", LOGS, ids=lambda log: log.source)
def test_the_kv_cache_is_the_published_one(log: Published) -> None:
    assert log.kv is not None
    assert sum(kv_cache(log.model, log.settings)) / MIB == pytest.approx(log.kv, abs=0.06)


@pytest.mark.parametrize("log", [log for log in LOGS if log.graph], ids=lambda log: log.source)
def test_the_estimate_of_the_computation_is_ollamas(log: Published) -> None:
    assert whole_graph(log.model, log.settings) / MIB == pytest.approx(log.graph, abs=0.06)


@pytest.mark.parametrize(
    ("source", "model", "context", "partial"),
    [
        (f"{OLLAMA}6348", MISTRAL_7B, 2048, 185.0),
        (f"{OLLAMA}8098", LLAMA32_3B, 8192, 570.7),
        ("github.com/intel/ipex-llm/issues/13277", QWEN25_14B, 4096, 916.1),
    ],
)
def test_the_estimate_for_a_part_on_the_gpu_is_ollamas_and_room_is_made_for_the_larger(
    source: str, model: ModelShape, context: int, partial: float
) -> None:
    settings = Settings(context, 1, "f16", flash_attention=False)
    found = partial_graph(model, settings)
    assert found / MIB == pytest.approx(partial, abs=0.06)
    assert compute(model, settings) == max(found, whole_graph(model, settings))


@pytest.mark.parametrize(
    ("model", "context", "measured"),
    [
        # Logs of Ollama 0.11.10 and 0.12.6, with flash attention, in files of public repositories.
        (GPT_OSS_120B, 8192, 121.8),
        (QWEN3_2B, 4096, 89.8),
    ],
)
def test_what_its_own_engine_measures_is_missed_by_less_than_100_mib(
    model: ModelShape, context: int, measured: float
) -> None:
    settings = Settings(context, 1, "f16", flash_attention=True)
    assert abs(compute(model, settings) / MIB - measured) < 100
