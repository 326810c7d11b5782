"""What clients are wired to: the active services, by what is known of their models."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tasks.clients.wiring import known_shows, running_context, seconds, wiring_of
from tasks.containers.observed import Snapshot
from tasks.declared.environment import CONTEXT_VARIABLE
from tasks.records.proven import Proven, ServiceLock
from tests.unit.tasks.clients.samples import AGENT, SHOWS, declared, wiring
from tests.unit.tasks.samples import container, snapshot, spec


def test_each_active_service_is_there_under_the_name_of_its_container() -> None:
    found = wiring(models={"mistral": {"active": False}})
    assert [service.id for service in found.services] == ["ollama-qwen", "ollama-deepseek"]


def test_agents_use_the_model_that_is_declared_for_them_and_else_the_main_one() -> None:
    qwen, deepseek, _ = wiring().services
    assert (qwen.main.name, qwen.agent.name) == ("qwen2.5-coder:7b", "qwen3:4b")
    assert deepseek.agent is deepseek.main


def test_the_context_is_the_running_servers_and_at_most_what_the_model_was_trained_for() -> None:
    stack = declared(models={"qwen": {"context": 8192}})
    running = container(spec(declared(models={"qwen": {"context": 65536}})))
    qwen = stack.services[0]
    assert running_context(stack, qwen, snapshot(running)) == 65536
    assert running_context(stack, qwen, Snapshot()) == 8192
    main, agent = wiring_of(stack, snapshot(running), SHOWS).services[0].models
    assert (main.context, agent.context) == (32768, 40960)


@pytest.mark.parametrize("told", ["²", "9" * 5000, "-1", "0", "many", " 1"])
def test_attack_17_a_context_that_is_none_is_the_declared_one(told: str) -> None:
    stack = declared(models={"qwen": {"context": 8192}})
    running = container(spec(stack))
    odd = replace(running, environment={**running.environment, CONTEXT_VARIABLE: told})
    assert running_context(stack, stack.services[0], snapshot(odd)) == 8192


def test_attack_17_a_stay_of_hundreds_of_digits_is_a_long_one() -> None:
    assert seconds("9" * 400 + "h") == 10**9


def test_an_answer_takes_a_part_of_the_context() -> None:
    qwen, *_ = wiring(models={"qwen": {"context": 16384}}).services
    assert qwen.main.answer == 4096


def test_a_service_is_known_once_its_server_told_of_all_its_models() -> None:
    known = {key: show for key, show in SHOWS.items() if key[1] != "qwen3:4b"}
    assert [s.is_known for s in wiring(known).services] == [False, True, True]


def test_the_lock_remembers_what_was_seen_when_a_model_was_proven() -> None:
    proven = Proven("qwen3:4b", "sha256:a", "2026", abilities=tuple(AGENT.abilities), context=40960)
    old = Proven("old:1", "sha256:b", "2026")
    locks = {"qwen": ServiceLock(models={"qwen3:4b": proven, "old:1": old})}
    assert known_shows(locks) == {("qwen", "qwen3:4b"): AGENT}


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("", "http://127.0.0.1:11434"),
        ("gpu.lan", "http://gpu.lan:11434"),
        ("[fd00::1]", "http://[fd00::1]:11434"),
    ],
)
def test_clients_on_another_machine_reach_the_servers_by_a_name_of_theirs(
    host: str, url: str
) -> None:
    qwen, *_ = wiring(client_host=host).services
    assert (qwen.url, qwen.openai) == (url, f"{url}/v1")


def test_an_agent_is_served_by_the_service_whose_role_names_it() -> None:
    found = wiring()
    serving = {a: found.serving(a) for a in ("code", "ask", "debug", "plan", "architect", "other")}
    assert {agent: s.name if s else None for agent, s in serving.items()} == {
        "code": "qwen",
        "ask": "mistral",
        "debug": "deepseek",
        "plan": "mistral",
        "architect": "mistral",
        "other": None,
    }
