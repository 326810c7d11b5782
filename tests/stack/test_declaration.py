"""Edits of the declaration change what they name, and nothing else (what must be seen: 5)."""

from __future__ import annotations

import sqlite3
import time

import pytest

from tasks.database.database import rows_of
from tests.stack.conftest import Maker, others
from tests.stack.installation import Installation


@pytest.fixture(scope="module")
def edited(make: Maker) -> Installation:
    installation = make()
    assert installation.converge().status == 0
    return installation


def test_a_new_context_recreates_that_service_alone(edited: Installation) -> None:
    untouched = others(edited, "qwen")
    edited.write(qwen={"context": 1024})
    output = edited.converge()
    assert output.status == 0, output.text
    assert "environment OLLAMA_CONTEXT_LENGTH 2048 → 1024; declaration" in output.text
    assert others(edited, "qwen") == untouched
    assert edited.rows("services")["qwen"]["context"] == 1024


def test_a_new_image_for_one_service(edited: Installation) -> None:
    untouched = others(edited, "qwen")
    edited.write(qwen={"image": "ollama/ollama:0.17.4"})
    output = edited.converge()
    assert output.status == 0, output.text
    assert edited.ask("qwen", "/api/version") == {"version": "0.17.4"}
    assert edited.digest("qwen", "tiny-qwen:v1"), "the volume stays"
    assert others(edited, "qwen") == untouched


def test_a_new_port(edited: Installation) -> None:
    untouched = others(edited, "qwen")
    edited.write(qwen={"port": edited.first_port + 5})
    assert edited.converge().status == 0
    assert edited.ask("qwen", "/api/version")
    assert edited.rows()["qwen"]["port"] == edited.first_port + 5
    assert others(edited, "qwen") == untouched


def test_a_fourth_service_comes_and_goes(edited: Installation) -> None:
    before = edited.containers()
    table = {"model": "tiny-qwen:v1", "context": 512, "port": edited.first_port + 6}
    edited.write(fourth=table)
    assert edited.converge().status == 0
    assert edited.rows()["fourth"]["status"] == "active"
    assert {k: v for k, v in edited.containers().items() if k != edited.name("fourth")} == before
    del edited.declared["models"]["fourth"]
    edited.write()
    output = edited.converge()
    assert output.status == 0
    assert "ours and no longer declared" in output.text
    assert edited.name("fourth") in edited.containers()
    assert "fourth" not in edited.rows()
    output = edited.converge("prune=true")
    assert edited.containers() == before
    assert edited.name("fourth") in [v.name for v in edited.client.volumes.list()]
    edited.converge("prune=true", "purge=true")
    assert edited.name("fourth") not in [v.name for v in edited.client.volumes.list()]


def test_an_inactive_service_is_stopped_and_kept_and_comes_back(edited: Installation) -> None:
    untouched = others(edited, "mistral")
    edited.write(mistral={"active": False})
    output = edited.converge()
    assert output.status == 0, output.text
    assert edited.inspect("mistral")["State"]["Status"] == "exited"
    assert edited.rows()["mistral"]["status"] == "inactive"
    assert set(edited.converge().operations.values()) == {"No changes"}
    edited.write(mistral={"active": True})
    assert edited.converge().status == 0
    assert edited.rows()["mistral"]["status"] == "active"
    assert others(edited, "mistral") == untouched


def test_two_ports_that_change_places(edited: Installation) -> None:
    one, two = edited.port("deepseek"), edited.port("mistral")
    edited.write(deepseek={"port": two}, mistral={"port": one})
    dry = edited.dry()
    output = edited.converge()
    assert output.status == 0, output.text
    assert "pull" not in " ".join(dry.planned), "the models are on the volumes"
    assert dry.planned == output.planned
    assert [step for step in output.done if step in dry.planned] == dry.planned
    assert edited.digest("deepseek", "tiny-deepseek:v1")
    assert edited.digest("mistral", "tiny-mistral:v1")


def test_only_one_service_is_converged_with_only(edited: Installation) -> None:
    edited.write(qwen={"context": 4096}, deepseek={"context": 4096})
    output = edited.converge("only=qwen")
    assert output.status == 0, output.text
    assert [step.partition(":")[0] for step in output.planned] == ["qwen"] * len(output.planned)
    assert "OLLAMA_CONTEXT_LENGTH=2048" in edited.inspect("deepseek")["Config"]["Env"]


def test_further_models_of_a_service_and_what_nobody_declared(edited: Installation) -> None:
    edited.write(qwen={"also": ["tiny-mistral:v1"]})
    output = edited.converge()
    assert output.status == 0, output.text
    assert "qwen: prove tiny-mistral:v1 by a generation (it is new here)" in output.done
    assert edited.digest("qwen", "tiny-mistral:v1")
    held = {row["model"] for row in service_models(edited, "qwen")}
    assert held == {"tiny-qwen:v1", "tiny-mistral:v1"}
    edited.write(qwen={"also": []})
    output = edited.converge()
    assert output.status == 0
    assert "not declared and left alone: tiny-mistral:v1" in output.text
    assert edited.digest("qwen", "tiny-mistral:v1"), "it is left alone"


def test_limits_proxy_and_environment_reach_the_container(edited: Installation) -> None:
    edited.write(
        mistral={"memory": "2g", "cpus": 1.5, "environment": {"OLLAMA_DEBUG": "1"}},
        no_proxy="127.0.0.1,localhost",
    )
    output = edited.converge()
    assert output.status == 0, output.text
    attrs = edited.inspect("mistral")
    assert attrs["HostConfig"]["Memory"] == 2 * 1024**3
    assert attrs["HostConfig"]["NanoCpus"] == 1_500_000_000
    assert "OLLAMA_DEBUG=1" in attrs["Config"]["Env"]
    assert "NO_PROXY=127.0.0.1,localhost" in attrs["Config"]["Env"]
    assert set(edited.converge().operations.values()) == {"No changes"}


def test_fault_34_a_database_that_somebody_else_locks_is_waited_for(edited: Installation) -> None:
    edited.write(qwen={"context": 640})
    holder = sqlite3.connect(edited.database, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    process = edited.begin()
    assert process.stdout is not None
    for line in process.stdout:
        if "Inventory | Record" in line:
            break
    time.sleep(2)
    holder.execute("COMMIT")
    text = process.stdout.read()
    assert process.wait(timeout=60) == 0, text
    assert edited.rows("services")["qwen"]["context"] == 640


def service_models(stack: Installation, service: str) -> list[dict[str, object]]:
    """Return the rows of the models that a service holds."""
    rows = rows_of(stack.database, "service_models")
    return [row for row in rows if row["service"] == service]
