"""Fault 1: what the question inside a container means. The words are those of nvidia-smi."""

from __future__ import annotations

from tasks.ollama.devices import parse


def test_fault_1_a_container_that_lost_the_gpu_says_so_inside() -> None:
    output = (
        "Failed to initialize NVML: Unknown Error\n\n"
        "#200 http://docker/exec/ab/start\n\n#device ollama-qwen 255\n"
        "GPU 0: NVIDIA GeForce RTX 2070 SUPER (UUID: GPU-invented)\n\n#device ollama-mistral 0\n"
    )
    said = parse(output).said
    assert said == {"ollama-qwen": "Failed to initialize NVML: Unknown Error"}


def test_an_image_without_nvidia_smi_tells_nothing() -> None:
    missing = 'exec: "nvidia-smi": executable file not found in $PATH\n#device ollama-qwen 127\n'
    assert parse(missing).said == {}
    assert parse("#device ollama-qwen \n").said == {}
