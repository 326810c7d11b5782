"""The verbs that change or try one service: by the same converge as everybody's runs."""

from __future__ import annotations

import json
import tomllib

import pytest

from tests.stack.installation import ROOT, Installation
from tests.stack.test_console import console


def declared(stack: Installation) -> dict[str, dict[str, object]]:
    tables: dict[str, dict[str, object]] = tomllib.loads(stack.stack_file.read_text())["models"]
    return tables


def test_deactivate_stops_one_service_and_activate_brings_it_back(stack: Installation) -> None:
    before = stack.containers()
    assert console(stack, "deactivate", "mistral").returncode == 0
    assert declared(stack)["mistral"]["active"] is False
    assert stack.inspect("mistral")["State"]["Status"] == "exited"
    assert stack.rows()["mistral"]["status"] == "inactive"
    result = console(stack, "activate", "mistral")
    assert result.returncode == 0, result.stdout
    assert "declares models.mistral.active = true" in result.stdout
    assert stack.rows()["mistral"]["status"] == "active"
    after = stack.containers()
    assert {name: ids[0] for name, ids in after.items()} == {n: i[0] for n, i in before.items()}
    assert after[stack.name("qwen")] == before[stack.name("qwen")]


def test_restart_starts_the_same_container_anew_and_proves_it(stack: Installation) -> None:
    before = stack.containers()
    result = console(stack, "restart", "qwen")
    assert result.returncode == 0, result.stdout
    assert "tiny-qwen:v1 generated" in result.stdout + result.stderr
    after = stack.containers()
    name = stack.name("qwen")
    assert after[name][0] == before[name][0]
    assert after[name][1] != before[name][1]
    assert after[stack.name("mistral")] == before[stack.name("mistral")]


def test_pull_declares_and_proves_a_further_model(stack: Installation) -> None:
    dry = console(stack, "pull", "qwen", "tiny-mistral:v1", "--dry")
    assert dry.returncode == 0
    assert "also" not in declared(stack)["qwen"]
    assert console(stack, "pull", "qwen", "tiny-mistral:v1").returncode == 0
    assert declared(stack)["qwen"]["also"] == ["tiny-mistral:v1"]
    assert stack.digest("qwen", "tiny-mistral:v1")


def test_a_model_that_nobody_has_ends_with_1_and_its_name(stack: Installation) -> None:
    result = console(stack, "pull", "deepseek", "no-such:v1")
    assert result.returncode == 1
    assert "no-such:v1" in result.stdout + result.stderr
    stack.write()
    assert stack.converge().status == 0


def test_chat_answers_a_prompt_and_standard_input(stack: Installation) -> None:
    result = console(stack, "chat", "qwen", "hello")
    assert result.returncode == 0
    assert result.stdout.strip()
    stack.client.containers.get(stack.name("qwen")).stop(timeout=1)
    silent = console(stack, "chat", "qwen", "hello")
    assert stack.converge().status == 0
    assert silent.returncode == 1
    assert "does not answer" in silent.stderr
    assert "remedy:" in silent.stderr


def test_history_tells_what_was_changed_and_why(stack: Installation) -> None:
    told = json.loads(console(stack, "history", "qwen", "--json", "-n", "200").stdout)
    assert {event["service"] for event in told} == {"qwen"}
    assert set(told[0]) == {"run", "at", "host", "service", "action", "subject", "why"}
    text = console(stack, "history", "-n", "1").stdout
    assert len(text.splitlines()) == 1


def test_db_path_is_the_declared_one(stack: Installation) -> None:
    assert console(stack, "db", "path").stdout.strip() == str(stack.database)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_printed_for_each_shell(stack: Installation, shell: str) -> None:
    assert "_MAIN_SH_COMPLETE" in console(stack, "completion", shell).stdout


@pytest.mark.parametrize(
    "words",
    [
        ["activate"],
        ["activate", "nobody"],
        ["restart", "nobody"],
        ["pull", "qwen", "a b"],
        ["pull", "qwen"],
        ["chat", "nobody", "x"],
        ["history", "-n", "0"],
        ["completion", "tcsh"],
        ["db", "nonsense"],
    ],
)
def test_wrong_use_ends_with_2(stack: Installation, words: list[str]) -> None:
    result = console(stack, *words)
    assert result.returncode == 2
    assert result.stderr


def test_the_help_of_main_sh_names_every_verb() -> None:
    from console.cli import app  # noqa: PLC0415
    from console.verbs import activate  # noqa: F401, PLC0415

    text = (ROOT / "main.sh").read_text()
    assert [name for name in app.commands if f"\n  {name}" not in text] == []
