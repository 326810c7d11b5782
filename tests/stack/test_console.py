"""The console on a real stack: what it shows is true now."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys

import pytest

from tests.stack.installation import ROOT, SERVICES, Installation


def console(stack: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    """Run main.py from another folder, without a terminal, 80 columns wide."""
    result = subprocess.run(
        [sys.executable, str(ROOT / "main.py"), *words],
        cwd=stack.folder,
        text=True,
        env={**stack.environment, "COLUMNS": "80"},
        capture_output=True,
        check=False,
    )
    assert "Traceback" not in result.stdout + result.stderr
    return result


def services(stack: Installation) -> dict[str, dict[str, object]]:
    value = json.loads(console(stack, "status", "--json").stdout)
    return {row["name"]: row for row in value["services"]}


def test_status_shows_every_service_and_ends_with_0(stack: Installation) -> None:
    result = console(stack, "status")
    assert result.returncode == 0, result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 80
    for service in SERVICES:
        assert service in result.stdout
    assert console(stack).stdout == result.stdout, "without a command: the status"


def test_the_json_holds_what_docker_and_ollama_say(stack: Installation) -> None:
    row = services(stack)["qwen"]
    digest = stack.digest("qwen", "tiny-qwen:v1").removeprefix("sha256:")
    assert row["installed_version"] == f"tiny-qwen:v1@{digest[:12]}"
    assert (row["state"], row["ollama"], row["port"]) == ("active", "0.24.0", stack.port("qwen"))
    assert row["loaded"] is None
    stack.ask("qwen", "/api/generate", {"model": "tiny-qwen:v1", "keep_alive": "1m"})
    row = services(stack)["qwen"]
    assert row["processor"] == "CPU"
    assert isinstance(row["loaded"], int)
    stack.ask("qwen", "/api/generate", {"model": "tiny-qwen:v1", "keep_alive": 0})


def test_a_stopped_service_and_drift_end_with_1_and_name_the_remedy(stack: Installation) -> None:
    stack.client.containers.get(stack.name("qwen")).stop(timeout=1)
    stack.write(mistral={"context": 1024})
    result = console(stack, "status")
    rows = services(stack)
    stack.write(mistral={"context": 2048})
    assert stack.converge().status == 0
    assert result.returncode == 1
    assert rows["qwen"]["state"] == "stopped"
    assert "OLLAMA_CONTEXT_LENGTH 2048 → 1024" in " ".join(result.stdout.split())
    assert "deploys/stack.py" in " ".join(result.stdout.split())


def test_sync_writes_what_is_there_and_nothing_twice(stack: Installation) -> None:
    assert "no change" in console(stack, "sync").stdout
    before = stack.rows("hosts")
    with sqlite3.connect(stack.database) as connection:
        connection.execute("UPDATE models SET status = 'inactive'")
    assert console(stack, "sync").returncode == 0
    assert {row["status"] for row in stack.rows().values()} == {"active"}
    assert stack.rows("hosts") == before


def test_logs_of_a_service(stack: Installation) -> None:
    result = console(stack, "logs", "qwen", "-n", "5")
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 5


def test_doctor_proves_each_service_by_a_generation(stack: Installation) -> None:
    result = console(stack, "doctor")
    assert result.returncode == 0, result.stdout
    assert result.stdout.count("tokens on CPU") == 3
    stack.client.containers.get(stack.name("qwen")).stop(timeout=1)
    broken = console(stack, "doctor")
    assert stack.converge().status == 0
    assert broken.returncode == 1
    assert "remedy:" in broken.stdout


@pytest.mark.parametrize("words", [["logs", "nobody"], ["nonsense"], ["status", "--nonsense"]])
def test_wrong_use_ends_with_2(stack: Installation, words: list[str]) -> None:
    result = console(stack, *words)
    assert result.returncode == 2
    assert result.stderr


def test_an_invalid_declaration_ends_with_2_and_names_every_fault(stack: Installation) -> None:
    good = stack.stack_file.read_text()
    stack.stack_file.write_text('gpu = "of"\ncolour = "red"\n')
    result = console(stack, "status")
    stack.stack_file.write_text(good)
    assert result.returncode == 2
    assert "gpu:" in result.stderr
    assert "colour:" in result.stderr


def test_fault_21_a_dead_engine_is_named(stack: Installation) -> None:
    good = stack.stack_file.read_text()
    stack.write(docker_socket="/nowhere/docker.sock")
    result = console(stack, "status")
    stack.declared["docker_socket"] = stack.docker_socket
    stack.stack_file.write_text(good)
    assert result.returncode == 1
    assert "/nowhere/docker.sock" in result.stderr
    assert "remedy:" in result.stderr
