"""Errors of the engine and their remedies.

Messages marked (r) were recorded on the 29-era engine of the lab with descriptions of a card that
were INVENTED, the others on Docker 20.10.
"""

import json
from pathlib import Path

import pytest

from tasks.containers import engine as containers
from tasks.containers.engine import FAILED_LOGS, keep_log, plain_log, remedy_of
from tasks.shell.answers import Answer
from tests.unit.tasks.runs import run_on
from tests.unit.tasks.samples import stack


def answer(message: str, status: int = 500) -> Answer:
    return Answer("http://docker/x", status, json.dumps({"message": message}))


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        # (r) no description; a device of it is gone; a library of it is gone
        (
            "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all",
            "nvidia-ctk cdi generate",
        ),
        (
            "CDI device injection failed: failed to inject devices: failed to stat CDI host device "
            '"/dev/nvidia77": no such file or directory',
            "nvidia-ctk cdi generate",
        ),
        (
            "failed to create task for container: failed to create shim task: OCI runtime create "
            "failed: runc create failed: unable to start container process: error during container "
            'init: error mounting "/usr/lib/libnvidia-ml.so.580.1" to rootfs at '
            '"/usr/lib/libnvidia-ml.so.580.1": no such device: unknown',
            "nvidia-ctk cdi generate",
        ),
        # (r) --gpus on an engine with CDI, without the toolkit
        ("failed to discover GPU vendor from CDI: no known GPU vendor found", "cdi generate"),
        (
            'could not select device driver "" with capabilities: [[gpu]]',
            "install the NVIDIA Container Toolkit",
        ),
        ("driver failed: port is already allocated", "ss -ltnp"),
        ("write /var/lib/docker/tmp/x: no space left on device", "docker system df"),
        ("something new", "mend what Docker names"),
    ],
)
def test_an_error_of_docker_has_its_remedy(message: str, remedy: str) -> None:
    assert remedy in remedy_of(answer(message))


def test_nobody_answered() -> None:
    assert "systemctl status docker" in remedy_of(Answer("http://docker/x", 0, ""))


def test_attack_18_a_log_of_many_frames_is_unwrapped_at_once() -> None:
    frame = bytes([1, 0, 0, 0, 0, 0, 0, 4]) + b"abc\n"
    assert plain_log(frame * 1_000_000) == "abc\n" * 1_000_000
    assert plain_log(frame + b"\x01\x00\x00\x00\xff\xff\xff\xffcut off") == "abc\ncut off"
    assert plain_log(b"short") == ""


def test_attack_20_the_log_that_is_kept_of_a_container_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declared = stack(
        https_proxy="http://ada:opensesame@proxy.lan:3128", database=str(tmp_path / "models.db")
    )
    said = "env=map[HTTPS_PROXY:http://ada:opensesame@proxy.lan:3128]\nhf_Zq7xK2m was opensesame\n"
    monkeypatch.setattr(containers, "container_log", lambda *_: said)
    told = keep_log(run_on(stack=declared), "ollama-qwen")
    (kept,) = (tmp_path / FAILED_LOGS).iterdir()
    for text in (told, kept.read_text()):
        assert "opensesame" not in text and "hf_Zq" not in text
    assert "proxy.lan:3128" in kept.read_text()
