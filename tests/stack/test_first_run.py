"""From nothing to three servers, and nothing to do after that (what must be seen: 1, 2, 7)."""

from __future__ import annotations

import subprocess
import sys

import docker
import ollama
import openai
import pytest

from tasks.database.database import rows_of
from tests.stack.conftest import Maker
from tests.stack.installation import ROOT, SERVICES, Installation, Output


@pytest.fixture(scope="module")
def fresh(make: Maker) -> tuple[Installation, Output, Output]:
    installation = make()
    dry = installation.dry()
    assert installation.containers() == {}
    assert not installation.database.exists()
    return installation, dry, installation.converge()


def test_one_run_gives_three_servers_that_answer_and_chat(
    fresh: tuple[Installation, Output, Output],
) -> None:
    installation, _, output = fresh
    assert output.status == 0, output.text
    for service in SERVICES:
        assert installation.ask(service, "/api/version") == {"version": "0.24.0"}
        (model,) = installation.ask(service, "/v1/models")["data"]
        assert model["id"] == f"tiny-{service}:v1"
        answer = installation.ask(
            service,
            "/v1/chat/completions",
            {
                "model": f"tiny-{service}:v1",
                "max_tokens": 4,
                "messages": [{"role": "user", "content": "hi"}],
            },
        )
        assert answer["usage"]["completion_tokens"] >= 1


def test_the_dry_run_before_it_printed_exactly_its_steps(
    fresh: tuple[Installation, Output, Output],
) -> None:
    _, dry, output = fresh
    assert dry.status == 0
    assert dry.planned == output.planned
    assert [step for step in output.done if step in dry.planned] == dry.planned
    assert "docker run -d --name" in dry.text


def test_the_database_tells_what_is_there(fresh: tuple[Installation, Output, Output]) -> None:
    installation, _, _ = fresh
    for service in SERVICES:
        row = installation.rows()[service]
        digest = installation.digest(service, f"tiny-{service}:v1").removeprefix("sha256:")
        assert row["installed_version"] == f"tiny-{service}:v1@{digest[:12]}"
        assert (row["status"], row["port"]) == ("active", installation.port(service))
        assert row["container_name"] == installation.name(service)
        details = installation.rows("services")[service]
        assert (details["verdict"], details["ollama"]) == ("CPU", "0.24.0")


def test_the_history_tells_what_was_done_and_the_host_what_it_is(
    fresh: tuple[Installation, Output, Output],
) -> None:
    installation, _, output = fresh
    events = rows_of(installation.database, "events")
    assert [f"{e['service']}: {e['action']}" for e in events if e["service"] == "qwen"] == [
        "qwen: create volume",
        "qwen: create",
        "qwen: pull model",
        "qwen: prove model",
    ]
    assert len(events) == len(output.planned)
    assert len({event["run"] for event in events}) == 1
    (host,) = installation.rows("hosts").values()
    assert host["os"]
    assert host["docker"] == installation.client.version()["Version"]


def test_fault_28_the_second_run_changes_nothing(
    fresh: tuple[Installation, Output, Output],
) -> None:
    installation, _, _ = fresh
    files = [installation.database, installation.lock, installation.stack_file]
    before = [(f.read_bytes(), f.stat().st_mtime_ns) for f in files], installation.containers()
    output = installation.converge()
    assert output.status == 0
    assert output.planned == output.done == []
    assert set(output.operations.values()) == {"No changes"}
    after = [(f.read_bytes(), f.stat().st_mtime_ns) for f in files], installation.containers()
    assert after == before


def test_testinfra_agrees(fresh: tuple[Installation, Output, Output]) -> None:
    installation, _, _ = fresh
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "tests/verify"],
        cwd=ROOT,
        text=True,
        env=installation.environment,
        capture_output=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout


def test_the_clients_of_the_field_see_the_three_servers(
    fresh: tuple[Installation, Output, Output],
) -> None:
    installation, _, _ = fresh
    for service in SERVICES:
        container = docker.from_env().containers.get(installation.name(service))
        assert container.status == "running"
        listed = ollama.Client(host=installation.url(service)).list()
        assert [m.model for m in listed.models] == [f"tiny-{service}:v1"]
        client = openai.OpenAI(base_url=f"{installation.url(service)}/v1", api_key="ollama")
        answer = client.chat.completions.create(
            model=f"tiny-{service}:v1",
            max_tokens=4,
            messages=[{"role": "user", "content": "hi"}],
        )
        assert answer.choices


def test_the_ports_are_published_on_loopback_only(
    fresh: tuple[Installation, Output, Output],
) -> None:
    installation, _, _ = fresh
    for service in SERVICES:
        bindings = installation.inspect(service)["HostConfig"]["PortBindings"]
        assert bindings == {
            "11434/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(installation.port(service))}]
        }
