"""What stands in the files of each client, from the declaration and what the models can do."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

from tasks.clients.entries import Entry, Item
from tasks.clients.jsonc import JsoncDocument
from tasks.clients.kinds import (
    aider,
    continue_,
    kilo,
    kilo_legacy,
    llm,
    open_webui,
    opencode,
    shell,
    vscode,
)
from tasks.clients.merge import merge
from tests.unit.tasks.clients.samples import EMBEDDER, SHOWS, wiring

KILO = tuple(kilo.entries(wiring()))
QWEN = "ollama-qwen/qwen3:4b"
DEEPSEEK = "ollama-deepseek/deepseek-r1:8b"
MISTRAL = "ollama-mistral/mistral:7b"


def by_path(entries: Any) -> dict[tuple[Any, ...], Any]:
    """Return entries by path; none may be there twice."""
    listed: list[Entry] = list(entries)
    found = {entry.path: entry.value for entry in listed}
    assert len(found) == len(listed)
    return found


def test_kilo_has_a_provider_for_each_server() -> None:
    found = by_path(kilo.entries(wiring()))
    assert found["provider", "ollama-deepseek"] == {
        "npm": "@ai-sdk/openai-compatible",
        "name": "deepseek, technical reasoning (ollama-stack)",
        "options": {"baseURL": "http://127.0.0.1:11435/v1", "apiKey": "ollama"},
        "models": {
            "deepseek-r1:8b": {
                "name": "deepseek-r1:8b",
                "tool_call": False,
                "reasoning": True,
                "limit": {"context": 8192, "output": 2048},
            }
        },
    }
    assert [*found["provider", "ollama-qwen"]["models"]] == ["qwen2.5-coder:7b", "qwen3:4b"]


def test_kilos_agents_are_served_by_role() -> None:
    found = by_path(kilo.entries(wiring()))
    models = {path[1]: value for path, value in found.items() if path[2:] == ("model",)}
    models["architect"] = found["agent", "architect"]["model"]
    assert {name: models[name] for name in ("code", "ask", "debug", "plan", "architect")} == {
        "code": QWEN,
        "ask": MISTRAL,
        "debug": DEEPSEEK,
        "plan": MISTRAL,
        "architect": MISTRAL,
    }


def test_an_agent_whose_model_cannot_call_tools_has_none() -> None:
    found = by_path(kilo.entries(wiring()))
    denied = {path[1] for path, value in found.items() if value == {"*": "deny"}}
    assert denied == {"debug"}
    assert "permission" not in found["agent", "architect"]


def test_small_and_large_work_go_to_one_model_so_that_none_pushes_the_other_out() -> None:
    found = by_path(kilo.entries(wiring()))
    assert (found["model",], found["small_model",]) == (QWEN, QWEN)


def test_what_a_person_may_choose_is_left_out_where_it_is_not_wanted() -> None:
    paths = {entry.path for entry in kilo.entries(wiring(client_defaults=False))}
    assert {path[0] for path in paths} == {"$schema", "provider", "permission"}


def test_kilo_is_not_taken_for_an_older_one_that_allowed_its_agents_every_command() -> None:
    found = by_path(kilo.entries(wiring()))
    assert found["permission", "bash"] == "ask"
    allowed = b'{"permission": {"bash": "allow"}}'
    assert JsoncDocument(merge("jsonc", allowed, KILO, None).text).get(("permission",)) == {
        "bash": "allow"
    }


def test_an_inactive_service_has_no_provider_and_no_agents() -> None:
    found = by_path(kilo.entries(wiring(models={"deepseek": {"active": False}})))
    assert not [path for path in found if "ollama-deepseek" in path or "debug" in path]


def test_a_role_of_a_persons_own_has_an_agent_of_that_name() -> None:
    roles = {"translation": {"agents": ["translate"]}}
    changed = wiring(roles=roles, models={"mistral": {"role": "translation"}})
    found = by_path(kilo.entries(changed))
    assert found["agent", "translate"] == {
        "description": "translate: translation",
        "mode": "primary",
        "model": MISTRAL,
    }


def test_opencodes_agents_are_served_as_kilos() -> None:
    found = by_path(opencode.entries(wiring()))
    assert found["agent", "build", "model"] == QWEN
    assert found["agent", "plan", "model"] == MISTRAL


def test_kilo_of_old_has_a_profile_for_each_server_and_a_mode_for_each() -> None:
    profiles = json.loads(kilo_legacy.content(wiring()))["providerProfiles"]
    assert profiles["currentApiConfigName"] == "ollama-qwen"
    assert profiles["apiConfigs"]["ollama-mistral"]["openAiBaseUrl"] == "http://127.0.0.1:11436/v1"
    assert profiles["modeApiConfigs"]["architect"] == "ollama-mistral"
    assert profiles["modeApiConfigs"]["orchestrator"] == "ollama-qwen"


def test_continue_completes_with_the_model_that_fills_in_and_talks_with_the_others() -> None:
    found = by_path(continue_.entries(wiring()))
    roles = {path[1].value: v["roles"] for path, v in found.items() if path[0] == "models"}
    assert roles == {
        "ollama-qwen qwen2.5-coder:7b": ["autocomplete"],
        "ollama-qwen qwen3:4b": ["chat", "edit", "apply"],
        "ollama-deepseek deepseek-r1:8b": ["chat", "edit", "apply"],
        "ollama-mistral mistral:7b": ["chat", "edit", "apply"],
    }


def test_continue_asks_for_what_the_server_has_loaded() -> None:
    qwen, *_ = wiring(models={"qwen": {"keep_alive": "1h30m"}}).services
    options = continue_.described(qwen, qwen.agent)["defaultCompletionOptions"]
    assert options == {"contextLength": 16384, "maxTokens": 4096, "keepAlive": 5400}


def test_a_coder_without_an_agents_model_beside_it_talks_as_well() -> None:
    qwen, *_ = wiring(models={"qwen": {"agent": ""}}).services
    assert continue_.roles(qwen, qwen.main) == ["chat", "edit", "apply", "autocomplete"]


def test_a_model_that_only_embeds_is_for_that_alone() -> None:
    embeds = {**SHOWS, ("mistral", "nomic-embed-text:latest"): EMBEDDER}
    changed = wiring(embeds, models={"mistral": {"also": ["nomic-embed-text"]}})
    found = by_path(continue_.entries(changed))
    item = found["models", Item("name", "ollama-mistral nomic-embed-text:latest")]
    assert item["roles"] == ["embed"]
    assert not [e for e in llm.entries(changed) if "nomic" in str(e)]
    assert "nomic" not in str(by_path(kilo.entries(changed)))


def test_aider_knows_each_model_with_the_address_of_its_server() -> None:
    found = by_path(aider.settings(wiring()))
    item = found[Item("name", "openai/deepseek-r1:8b"),]
    assert item["extra_params"]["api_base"] == "http://127.0.0.1:11435/v1"
    assert by_path(aider.defaults(wiring()))["model",] == "openai/qwen3:4b"
    limits = by_path(aider.metadata(wiring()))["openai/mistral:7b",]
    assert (limits["max_input_tokens"], limits["max_output_tokens"]) == (16384, 4096)


def test_aider_asks_the_first_of_two_servers_that_have_one_model() -> None:
    both = {("deepseek", "mistral:7b"): SHOWS["mistral", "mistral:7b"], **SHOWS}
    found = by_path(aider.settings(wiring(both, models={"deepseek": {"model": "mistral:7b"}})))
    item = found[Item("name", "openai/mistral:7b"),]
    assert item["extra_params"]["api_base"] == "http://127.0.0.1:11435/v1"


def test_llm_calls_a_service_by_its_name() -> None:
    found = by_path(llm.entries(wiring()))
    assert [path[0].value for path in found] == [
        "ollama-qwen",
        "ollama-qwen/qwen3:4b",
        "ollama-deepseek",
        "ollama-mistral",
    ]


def test_kilos_completion_is_off_where_continue_completes() -> None:
    found = by_path(vscode.entries(wiring(), {"kilo", "continue", "vscode"}, "/x.json"))
    assert found == {("kilo-code.new.autocomplete.enableAutoTrigger",): False}
    assert not by_path(vscode.entries(wiring(), {"kilo", "vscode"}, "/x.json"))


def test_kilo_of_old_is_told_which_file_to_import() -> None:
    found = by_path(vscode.entries(wiring(), {"kilo-legacy", "vscode"}, "/x.json"))
    assert found == {("kilo-code.autoImportSettingsPath",): "/x.json"}


def test_open_webui_has_every_server() -> None:
    text = open_webui.content(wiring())
    ports = ";".join(f"http://127.0.0.1:{port}" for port in (11434, 11435, 11436))
    assert f"OLLAMA_BASE_URLS={ports}\n" in text


def test_the_command_of_a_service_falls_back_to_its_container_where_that_is_here() -> None:
    qwen, *_ = wiring().services
    assert "docker exec -i $tty ollama-qwen ollama" in shell.wrapper(qwen, is_remote=False)
    assert "docker" not in shell.wrapper(qwen, is_remote=True)


def test_attack_13_a_completion_carries_out_nothing_that_a_server_says(tmp_path: Path) -> None:
    qwen, *_ = wiring().services
    models = ["qwen3:4b", "$(touch made)", "`touch made`", "x;touch made", "other"]
    command = tmp_path / "ollama-qwen"
    command.write_text(f"#!/bin/sh\nprintf '%s\\n' {shlex.join(models)}\n")
    command.chmod(0o755)
    script = (
        f"{shell.completion(qwen)}\nCOMP_WORDS=({shlex.quote(str(command))} run q) COMP_CWORD=2\n"
        "_ollama_qwen; printf '%s\\n' \"${COMPREPLY[@]}\"\n"
        "COMP_WORDS[2]=; _ollama_qwen; printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    said = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert said.stdout.split() == ["qwen3:4b", "qwen3:4b", "other"]
    assert not (tmp_path / "made").exists()
