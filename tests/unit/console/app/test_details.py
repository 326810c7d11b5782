"""All that is known of a service: what differs is marked, and no secret is shown."""

from __future__ import annotations

from console.app.cells import Shown
from console.app.details import HIDDEN, compared, details, without_private
from console.looking.status import statuses
from tests.unit.console.app.samples import STACK, all_of, host
from tests.unit.tasks.samples import inspect, snapshot, spec

QWEN = STACK.services[0]
SECRETS = {"HF_TOKEN": "hunter2", "MY_PASSWORD": "hunter3"}


def test_what_is_as_declared_and_what_differs_is_told() -> None:
    lines = compared(STACK, QWEN, host(seen=all_of(qwen={"memory": 8 * 10**9})))
    assert [line for line in lines if line.startswith("≠")] == [
        "≠ memory: unlimited, seen: 8e+09 bytes"
    ]
    assert "  environment OLLAMA_CONTEXT_LENGTH: 16384" in lines


def test_no_secret_is_shown_and_that_it_differs_is() -> None:
    environment = spec(STACK).environment | SECRETS
    lines = compared(STACK, QWEN, host(seen=all_of(qwen={"environment": environment})))
    assert f"≠ environment HF_TOKEN: none, seen: {HIDDEN}" in lines
    assert "hunter" not in "\n".join(lines)


def test_docker_inspect_is_shown_without_secrets_and_otherwise_as_it_is() -> None:
    attrs = inspect(spec(STACK))
    attrs["Config"]["Env"] += [f"{name}={value}" for name, value in SECRETS.items()]
    shown = without_private(attrs)
    assert "hunter" not in str(shown)
    assert f"HF_TOKEN={HIDDEN}" in shown["Config"]["Env"]
    assert "OLLAMA_CONTEXT_LENGTH=16384" in shown["Config"]["Env"]
    assert {**shown, "Config": 0} == {**attrs, "Config": 0}
    assert "hunter2" in str(attrs)
    assert without_private({}) == {"Config": {"Env": []}}


def test_a_service_without_container_and_one_of_another_host_have_details_too() -> None:
    assert compared(STACK, QWEN, host(seen=snapshot())) == ["there is no container ollama-qwen"]
    there = host("ws1")
    (status,) = statuses([there])
    lines = details(Shown("ws1", status.rows[0]), there)
    assert lines[0] == "ws1/qwen: code completion"
    assert "docker inspect:" not in lines
    assert "declared against seen (≠ differs):" in lines
