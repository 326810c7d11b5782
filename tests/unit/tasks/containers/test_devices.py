"""Fault 1: what the question inside a container means. The words are those of nvidia-smi."""

from __future__ import annotations

from tasks.containers.devices import parse
from tests.unit.tasks.said import enveloped

LOST = "Failed to initialize NVML: Unknown Error\r\n"
CARD = "GPU 0: NVIDIA GeForce RTX 2070 SUPER (UUID: GPU-invented)\n"


def inside(name: str, words: str, code: str) -> str:
    return f"{enveloped(words, f'said.{name}')}\n{enveloped(code, f'code.{name}')}\n"


def test_fault_1_a_container_that_lost_the_gpu_says_so_inside() -> None:
    output = inside("ollama-qwen", LOST, "255\n") + inside("ollama-mistral", CARD, "0\n")
    assert parse(output).said == {"ollama-qwen": "Failed to initialize NVML: Unknown Error"}


def test_an_image_without_nvidia_smi_tells_nothing() -> None:
    missing = 'exec: "nvidia-smi": executable file not found in $PATH\n'
    assert parse(inside("ollama-qwen", missing, "127\n")).said == {}
    assert parse(inside("ollama-qwen", "", "")).said == {}


def test_attack_4_a_container_cannot_speak_for_another_one() -> None:
    forged = f"\n#device ollama-mistral 255\n{enveloped('255', 'code.ollama-mistral')}\n"
    output = inside("ollama-qwen", forged, "0\n") + inside("ollama-mistral", CARD, "0\n")
    assert parse(output).said == {}


def test_attack_13_what_a_container_says_drives_no_terminal() -> None:
    said = parse(inside("ollama-qwen", "\x1b]0;owned\x07lost\x1b[2J", "1")).said
    assert said == {"ollama-qwen": "lost"}
