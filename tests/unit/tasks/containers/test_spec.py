"""The container that a declaration asks for, in the words of the Engine API."""

from __future__ import annotations

import pytest

from tasks.containers.drift import Change
from tasks.containers.spec import CA_INSIDE, size_in_bytes, spec_of
from tasks.declared.environment import OWN_ENVIRONMENT
from tasks.declared.stack import DeclarationError
from tasks.words.secrets.variables import is_private
from tests.unit.tasks.samples import spec, stack


def test_the_settings_become_ollamas_environment() -> None:
    declared = stack(
        keep_alive="1h",
        parallel=2,
        https_proxy="http://p:1",
        models={"qwen": {"environment": {"OLLAMA_DEBUG": "1"}}},
    )
    assert dict(spec(declared).environment) == {
        "OLLAMA_HOST": "0.0.0.0:11434",
        "OLLAMA_CONTEXT_LENGTH": "16384",
        "OLLAMA_KEEP_ALIVE": "1h",
        "OLLAMA_NUM_PARALLEL": "2",
        "OLLAMA_KV_CACHE_TYPE": "q8_0",
        "OLLAMA_FLASH_ATTENTION": "1",
        "HTTPS_PROXY": "http://p:1",
        "OLLAMA_DEBUG": "1",
    }


def test_a_private_ca_is_mounted_and_named() -> None:
    body = spec(stack(ca_certificate="/etc/ca.pem")).create_body()
    assert {"Type": "bind", "Source": "/etc/ca.pem", "Target": CA_INSIDE, "ReadOnly": True} in body[
        "HostConfig"
    ]["Mounts"]
    assert f"SSL_CERT_FILE={CA_INSIDE}" in body["Env"]


def test_the_gpu_is_asked_for_only_where_it_may_be_used() -> None:
    declared = stack(gpu="auto")
    qwen = declared.services[0]
    request = [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}]
    with_gpu = spec_of(declared, qwen, gpu="gpus")
    assert with_gpu.create_body()["HostConfig"]["DeviceRequests"] == request
    assert "--gpus all" in with_gpu.docker_run()
    assert "DeviceRequests" not in spec_of(declared, qwen, gpu="").create_body()["HostConfig"]
    off = qwen.model_copy(update={"gpu": "off"})
    assert not spec_of(declared, off, gpu="gpus").gpu


def test_by_cdi_the_device_has_a_name() -> None:
    by_cdi = spec_of(stack(gpu="auto"), stack(gpu="auto").services[0], gpu="cdi")
    request = [{"Driver": "cdi", "DeviceIDs": ["nvidia.com/gpu=all"]}]
    assert by_cdi.create_body()["HostConfig"]["DeviceRequests"] == request
    assert "--device nvidia.com/gpu=all" in by_cdi.docker_run()


def test_the_docker_run_command_hides_what_may_be_secret() -> None:
    declared = stack(
        http_proxy="http://user:hunter2@p:1",
        models={"qwen": {"environment": {"HF_TOKEN": "hunter2"}}},
    )
    command = spec(declared).docker_run()
    assert "hunter2" not in command
    assert "-p 127.0.0.1:11434:11434 -v ollama-qwen:/root/.ollama" in command


@pytest.mark.parametrize(
    ("text", "size"), [("", 0), ("5", 5), ("5b", 5), ("2k", 2048), ("1g", 1024**3)]
)
def test_sizes_are_dockers(text: str, size: int) -> None:
    assert size_in_bytes(text) == size


@pytest.mark.parametrize(
    ("name", "private"),
    [("OLLAMA_CONTEXT_LENGTH", False), ("OLLAMA_API_KEY", True), ("HTTP_PROXY", True)],
)
def test_only_ordinary_variables_of_ollama_are_shown(name: str, private: bool) -> None:
    assert is_private(name) is private


@pytest.mark.parametrize(
    "value", ["hf_Zq7xK2mVw9pL4", "http://ada:opensesame@host", "sk-Zq7xK2mVw"]
)
def test_attack_20_a_secret_in_an_ordinary_variable_is_not_shown(value: str) -> None:
    assert is_private("OLLAMA_REMOTES", value)
    assert not is_private("OLLAMA_REMOTES", "ollama.com")
    change = Change("environment OLLAMA_REMOTES", "none", value)
    assert value not in str(change)
    held = stack(models={"qwen": {"environment": {"OLLAMA_REMOTES": value}}})
    assert value not in spec(held).docker_run()


def test_whatever_settings_put_into_the_environment_only_they_can_put_there() -> None:
    proxy = "http://proxy:3128"
    made = spec(stack(http_proxy=proxy, https_proxy=proxy, no_proxy="lan")).environment
    # A server finds its models where the volume is without being told.
    assert {*made} == {*OWN_ENVIRONMENT} - {"OLLAMA_MODELS"}
    for variable in OWN_ENVIRONMENT:
        with pytest.raises(DeclarationError, match=f"environment.{variable}"):
            stack(models={"qwen": {"environment": {variable: "1"}}})
