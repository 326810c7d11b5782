"""The product's settings that the lab writes."""

from __future__ import annotations

import socket
import tomllib

from lab import stack_file, state
from lab.state import Engine29, LabState

SECOND = Engine29(
    namespace="n", device="d", address="10.0.0.1", inner_address="10.0.0.2", socket="/s.sock"
)


def test_the_keys_are_plain_settings(lab: LabState) -> None:
    assert tomllib.loads(stack_file.render(lab)) == {
        "image": "ollama/ollama:0.24.0",
        "image_mirror": "127.0.0.1:15000",
        "model_registry": "172.17.0.1:15001",
        "model_registry_insecure": True,
        "gpu": "off",
        "clients": [],
        "roles": {
            role: {"needs": [], "agent_needs": [], "agent_context": 0}
            for role in (
                "code completion",
                "technical reasoning",
                "documentation and architecture",
            )
        },
        "lock": "stack.lab.lock",
        "models": {
            "qwen": {"model": "tiny-qwen:v1", "context": 2048, "agent": ""},
            "deepseek": {"model": "tiny-deepseek:v1", "context": 2048, "agent": ""},
            "mistral": {"model": "tiny-mistral:v1", "context": 2048, "agent": ""},
        },
    }


def test_a_taken_port_is_replaced(lab: LabState) -> None:
    moved = lab.model_copy(update={"service_ports": {"deepseek": 11600}})
    models = tomllib.loads(stack_file.render(moved))["models"]
    assert models["deepseek"]["port"] == 11600
    assert "port" not in models["qwen"]


def test_the_second_engine_sees_the_images_at_the_gateway(lab: LabState) -> None:
    values = tomllib.loads(stack_file.render_second(lab, SECOND))
    assert values["image_mirror"] == "172.17.0.1:15000"
    assert values["image_mirror_insecure"] is True
    assert values["docker_socket"] == "/s.sock"


def test_the_same_settings_are_not_written_again(lab: LabState) -> None:
    state.save(lab)
    stack_file.write(lab)
    before = state.stack_file().stat().st_mtime_ns
    stack_file.write(lab)
    assert state.stack_file().stat().st_mtime_ns == before


def test_another_program_on_a_port_is_gone_round(monkeypatch: object) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        names = list(stack_file.SERVICES)
        stack_port, stack_file.FIRST_PORT = stack_file.FIRST_PORT, port
        try:
            chosen = stack_file.choose_ports(frozenset())
            ours = stack_file.choose_ports(frozenset([port]))
        finally:
            stack_file.FIRST_PORT = stack_port
    assert names[0] in chosen
    assert chosen[names[0]] != port
    assert names[0] not in ours
