"""The memory of the GPU, planned before anything is pulled (fault 7; to be seen: 7).

There is no GPU here: nvidia-smi is a stub whose words are invented after the reference card. The
models are the lab's: their headers are read at its registry, and /api/ps is real Ollama's.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.containers.observed import ServedModel
from tasks.shell.local import LocalShell
from tasks.vram.arithmetic import Settings, need
from tasks.vram.look import served_shape
from tests.stack import qwen3
from tests.stack.conftest import Maker
from tests.stack.installation import OWN_SOCKET, Installation, Output

CARD = "0, NVIDIA GeForce RTX 2070 SUPER, GPU-invented, 8192, 412, 580.95.05, 7.5"
NVIDIA_SMI = f"""#!/bin/sh
case "$*" in
  *--query-gpu=memory.used*) echo 412;;
  *--query-gpu*) echo '{CARD}';;
  *-q*) echo '<cuda_version>13.0</cuda_version>';;
esac
"""


@pytest.fixture(scope="module")
def with_card(make: Maker, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A declaration on a machine whose nvidia-smi, and whose toolkit, are stubs; only looked at."""
    tools = tmp_path_factory.mktemp("tools")
    _program(tools / "nvidia-smi", NVIDIA_SMI)
    _program(tools / "nvidia-container-runtime-hook", "#!/bin/sh\n")
    return make(settings={"gpu": "auto"}, tools=str(tools), docker_socket=OWN_SOCKET)


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def table(output: Output) -> dict[str, str]:
    """Return the line of each model in the printed plan, by service."""
    lines = (line.partition("] ")[2].split() for line in output.text.splitlines())
    return {
        words[0]: " ".join(words)
        for words in lines
        if len(words) > 5 and words[1].startswith("tiny-")
    }


def test_a_table_is_printed_before_anything_is_pulled(with_card: Installation) -> None:
    output = with_card.dry()
    assert output.status == 0, output.text
    assert "RTX 2070 SUPER): 8.6 GB, 500.0 MB of it kept free" in output.text
    assert all(line.endswith(" fits") for line in table(output).values())
    assert set(table(output)) == {"qwen", "deepseek", "mistral"}
    assert "All 3 fit at the same time" in output.text
    assert output.text.index("All 3 fit") < output.text.index("  1. qwen:")


def test_a_model_that_is_too_big_for_the_card_fails_alone(with_card: Installation) -> None:
    with_card.write(mistral={"context": 16384})
    output = with_card.dry("vram_budget_gb=0.5")
    assert output.status == 1
    assert table(output)["mistral"].endswith("does not fit")
    assert "mistral: tiny-mistral:v1 does not fit on the GPU" in output.last
    assert "remedy: set context = " in output.last
    assert not any(step.startswith("mistral:") for step in output.planned)
    assert any(step.startswith("qwen: pull") for step in output.planned)


def test_gpu_partial_lets_it_be(with_card: Installation) -> None:
    with_card.write(mistral={"context": 16384, "gpu_partial": True})
    output = with_card.dry("vram_budget_gb=0.5")
    assert output.status == 0, output.text
    assert any(step.startswith("mistral: pull") for step in output.planned)


def test_the_verb_plan_tells_the_same_without_a_run(with_card: Installation) -> None:
    with_card.write(mistral={"context": 16384, "gpu_partial": False})
    told = json.loads(with_card.main("plan", "--json").text)
    assert told["card"]["total"] == 8192 * 1024**2
    assert [m["fits"] for m in told["models"]] == [True] * 3
    assert told["sets"] == [["qwen", "deepseek", "mistral"]]
    small = with_card.main("plan", "--budget", "0.5")
    assert small.status == 1
    assert "tiny-mistral:v1 does not fit on the GPU" in small.text


def test_the_arithmetic_is_ollamas_own_to_the_byte(stack: Installation) -> None:
    """Seen on the CPU, where Ollama counts no compute buffer; a cache of f16 has no rounding."""
    off = stack.main("plan")
    assert off.status == 1
    assert 'no active service may use the GPU (gpu = "off")' in off.text
    stack.write(kv_cache_type="f16", qwen={"context": 4096, "parallel": 2})
    assert stack.converge().status == 0
    planned = json.loads(stack.main("plan", "--budget", "8", "--json").text)["models"]
    assert [model["service"] for model in planned] == ["qwen", "deepseek", "mistral"]
    for model in planned:
        body = {"model": model["model"], "prompt": "hi", "stream": False, "keep_alive": "1m"}
        stack.ask(model["service"], "/api/generate", body)
        (loaded,) = stack.ask(model["service"], "/api/ps")["models"]
        assert loaded["size"] == model["weights"] + model["kv_cache"]


def test_a_quantised_cache_is_estimated_within_a_tenth(stack: Installation) -> None:
    """Ollama leaves the scales of q8_0 out of account, which llama.cpp does keep."""
    stack.write(kv_cache_type="q8_0")
    assert stack.converge().status == 0
    (planned, *_) = json.loads(stack.main("plan", "--budget", "8", "--json").text)["models"]
    body = {"model": planned["model"], "prompt": "hi", "stream": False, "keep_alive": "1m"}
    stack.ask("qwen", "/api/generate", body)
    (loaded,) = stack.ask("qwen", "/api/ps")["models"]
    assert loaded["size"] <= planned["weights"] + planned["kv_cache"] <= loaded["size"] * 1.1


@pytest.mark.parametrize("flash", [True, False])
def test_ollamas_own_engine_is_estimated_within_a_tenth(
    stack: Installation, tmp_path: Path, flash: bool
) -> None:
    """qwen3 runs there: the computation is measured by Ollama, and only estimated before."""
    stack.write(kv_cache_type="f16", flash_attention=flash, qwen={"context": 8192, "parallel": 1})
    assert stack.converge().status == 0
    qwen3.write(tmp_path / "qwen3.gguf")
    stack.add_model("qwen", "own-engine", tmp_path / "qwen3.gguf")
    held = ServedModel("own-engine:latest", "", 0)
    shape = served_shape(LocalShell(), stack.url("qwen"), held)
    assert shape.architecture == "qwen3"
    body = {"model": "own-engine", "prompt": "hi", "stream": False, "options": {"num_predict": 2}}
    stack.ask("qwen", "/api/generate", body)
    loaded = {m["name"]: m for m in stack.ask("qwen", "/api/ps")["models"]}["own-engine:latest"]
    found = need(shape, Settings(8192, 1, "f16", flash))
    # Here, and not on a GPU, the token embedding counts too.
    embedding = qwen3.TOKENS * qwen3.WIDTH * 2
    estimate = found.weights + found.kv_cache + found.compute + embedding
    assert abs(estimate - loaded["size"]) < loaded["size"] / 10
    stack.delete_model("qwen", "own-engine")
