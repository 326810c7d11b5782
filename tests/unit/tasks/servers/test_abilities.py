"""What models can do, by word and by deed. The shell is a script of answers; none is recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tasks.servers.abilities import Show, lacking, needs, parse, show, tried
from tasks.shell.local import Result
from tests.unit.tasks.clients.samples import declared
from tests.unit.tasks.said import answered

URL = "http://127.0.0.1:11434"


class Answering:
    """A shell whose curl gets these answers, by the end of the URL."""

    def __init__(self, **by_path: Any) -> None:
        self.by_path = by_path

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        for path, body in self.by_path.items():
            url = f"{URL}/api/{path}"
            if url in script:
                status = 200 if body is not None else 500
                return Result(True, answered({url: (status, json.dumps(body))}), "")
        return Result(True, "", "")


def test_a_server_tells_abilities_and_the_trained_context() -> None:
    told = {
        "capabilities": ["completion", "insert"],
        "model_info": {"general.architecture": "qwen2", "qwen2.context_length": 32768},
    }
    assert show(Answering(show=told), URL, "m:1") == Show(
        frozenset({"completion", "insert"}), 32768
    )


@pytest.mark.parametrize("told", [None, [], {}, {"capabilities": None}])
def test_a_server_of_old_tells_nothing(told: Any) -> None:
    assert parse(told) is None


def test_a_model_that_only_embeds_is_not_asked_to_generate() -> None:
    assert Show(frozenset({"embedding"})).only_embeds
    assert not Show(frozenset({"embedding", "completion"})).only_embeds


def test_a_role_asks_other_things_of_the_agents_model_than_of_the_main_one() -> None:
    stack = declared()
    qwen, deepseek, _ = stack.services
    assert needs(stack, qwen, "qwen2.5-coder:7b") == {"insert"}
    assert needs(stack, qwen, "qwen3:4b") == {"tools"}
    assert needs(stack, deepseek, "deepseek-r1:8b") == {"thinking"}
    alone = declared(models={"qwen": {"agent": ""}})
    assert needs(alone, alone.services[0], "qwen2.5-coder:7b") == {"insert", "tools"}


@pytest.mark.parametrize(
    ("answer", "missed"),
    [
        ({"message": {"content": "", "tool_calls": [{"function": {"name": "x"}}]}}, set()),
        ({"message": {"content": '{"name": "get_time"}'}}, {"tools"}),
        ({"error": "does not support tools"}, {"tools"}),
        (None, {"tools"}),
    ],
)
def test_a_tool_call_that_is_printed_as_text_is_none(answer: Any, missed: set[str]) -> None:
    assert tried(Answering(chat=answer), URL, "m:1", ["tools"], 5) == missed


@pytest.mark.parametrize(("text", "missed"), [("a + b", set()), (" \n", {"insert"})])
def test_something_has_to_come_between_prefix_and_suffix(text: str, missed: set[str]) -> None:
    assert tried(Answering(generate={"response": text}), URL, "m:1", ["insert"], 5) == missed


def test_what_cannot_be_tried_is_believed() -> None:
    assert tried(Answering(), URL, "m:1", ["thinking", "vision"], 5) == set()


def test_what_a_role_lacks_is_told_by_name_with_a_way_out() -> None:
    stack = declared()
    qwen, deepseek, _ = stack.services
    known = {
        "qwen2.5-coder:7b": (("completion", "insert"), ()),
        "qwen3:4b": (("completion", "tools"), ("tools",)),
    }
    (claimed, context) = lacking(stack, qwen, known)
    assert claimed.startswith("qwen: qwen3:4b claims tools, and nothing of it came when asked")
    assert "choose another agent" in claimed
    assert "a context of 16384 is little for the agents code" in context
    (lacks,) = lacking(stack, deepseek, {"deepseek-r1:8b": (("completion",), ())})
    assert lacks.startswith("deepseek: deepseek-r1:8b lacks thinking, which 'technical reasoning'")


def test_nothing_is_said_of_a_model_that_is_not_there_or_does_what_it_should() -> None:
    stack = declared(models={"qwen": {"context": 32768}})
    assert list(lacking(stack, stack.services[0], {})) == []
    good = {"qwen2.5-coder:7b": (("insert",), ()), "qwen3:4b": (("tools",), ())}
    assert list(lacking(stack, stack.services[0], good)) == []


@pytest.mark.parametrize("info", [[], 5, "x", {"general.architecture": 5}, {".context_length": -1}])
def test_attack_17_an_odd_size_of_a_context_is_none(info: object) -> None:
    told = parse({"capabilities": ["tools"], "model_info": info})
    assert told == Show(frozenset({"tools"}), 0)


@pytest.mark.parametrize("told", [{"capabilities": [1]}, {"capabilities": {}}, [], None, "x"])
def test_attack_17_odd_abilities_are_not_told(told: object) -> None:
    assert parse(told) is None
