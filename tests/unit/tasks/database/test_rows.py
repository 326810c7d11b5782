"""Rows made from what was observed."""

from __future__ import annotations

from dataclasses import replace

from tasks.containers.observed import ObservedServer, ServedModel, Snapshot
from tasks.database.rows import inventory_of, row_name
from tasks.run.decided import HostDetails
from tests.unit.tasks.samples import DIGEST, container, snapshot, spec, stack

STACK = stack()
MODEL = STACK.services[0].model
SERVER = ObservedServer("0.24.0", {MODEL: ServedModel(MODEL, DIGEST, 5)})
UP = snapshot(container(spec(STACK)), servers={"qwen": SERVER})


def qwen(table: str, seen: Snapshot, host: str = "@local") -> dict[str, object]:
    found = inventory_of(host, STACK, seen, HostDetails(), {"qwen": ("CPU", 12.34)}, [])
    return next(row for row in found.rows[table] if row["name"] == row_name(host, "qwen"))


def test_a_service_that_answers_and_holds_its_model_is_active() -> None:
    assert qwen("models", UP) == {
        "name": "qwen",
        "container_name": "ollama-qwen",
        "port": 11434,
        "installed_version": f"{MODEL}@{DIGEST[7:19]}",
        "status": "active",
    }


def test_without_its_model_or_its_server_it_is_inactive() -> None:
    assert (
        qwen("models", snapshot(servers={"qwen": ObservedServer("0.24.0")}))["status"] == "inactive"
    )
    assert qwen("models", snapshot())["status"] == "inactive"


def test_a_stopped_service_still_tells_what_its_volume_holds() -> None:
    seen = snapshot(stored={"qwen": {MODEL: ServedModel(MODEL, DIGEST, 0)}})
    row = qwen("models", seen)
    assert (row["installed_version"], row["status"]) == (f"{MODEL}@{DIGEST[7:19]}", "inactive")


def test_a_service_of_another_host_bears_its_name() -> None:
    assert qwen("models", UP, "ws1")["name"] == "ws1/qwen"


def test_details_hold_image_digest_and_the_last_proof() -> None:
    row = qwen("services", UP)
    assert (row["image_digest"], row["verdict"], row["tokens_per_second"]) == (DIGEST, "CPU", 12.3)


def test_no_row_holds_a_lone_surrogate_and_nothing_else_of_it_changes() -> None:
    text = "a\ud800\x1b[1m[/]"
    held = {text: ServedModel(text, text, 5)}
    seen = snapshot(container(spec(STACK)), servers={"qwen": ObservedServer(text, held)})
    found = inventory_of("@local", STACK, seen, HostDetails(text), {}, [{"why": text, "id": 1}])
    assert found.rows["service_models"][0]["model"] == "a?\x1b[1m[/]"
    assert found.events == [{"why": "a?\x1b[1m[/]", "id": 1}]
    str(found).encode()


def test_attack_3_a_service_that_nobody_could_see_is_not_recorded_as_absent() -> None:
    seen = replace(snapshot(), unknown={"qwen": "no answer"})
    found = inventory_of("@local", STACK, seen, HostDetails(), {}, [])
    for rows in found.rows.values():
        assert "qwen" not in {row.get("name", row.get("service")) for row in rows}
    assert found.unseen == {"qwen"}
    assert {row["name"] for row in found.rows["models"]} == {"deepseek", "mistral"}


def test_attack_3_of_an_engine_that_nobody_could_see_nothing_is_recorded() -> None:
    found = inventory_of("h", STACK, Snapshot(unknown={"": "no answer"}), HostDetails(), {}, [])
    assert found.unseen == {"h/qwen", "h/deepseek", "h/mistral"}
    assert [table for table, rows in found.rows.items() if rows] == ["hosts"]
    assert "docker" not in found.rows["hosts"][0]
