"""What a person can do: every key leads somewhere, and to one place."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from console.app.app import StackApp
from console.app.cells import LEAVING
from console.app.commands import COMMANDS, REMOTE, fleet_words, key_name, verb_words
from console.group import app as cli
from console.looking.fleet import INVENTORY
from tasks.declared.layers import ROOT

VERBS = sorted({c.action[6:-2] for c in COMMANDS if c.action.startswith("verb(")} | {"rollback"})


def test_every_key_name_and_action_is_there_once() -> None:
    for what in ("key", "name", "action"):
        counted = Counter(getattr(command, what) for command in COMMANDS)
        assert [value for value, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
def test_every_command_has_an_action_of_the_app_and_words(command: object) -> None:
    action, name, does = command.action, command.name, command.does  # type: ignore[attr-defined]
    method = re.match(r"\w+", action)
    assert method is not None
    assert callable(getattr(StackApp, f"action_{method[0]}"))
    assert name
    assert does[0].isupper()
    assert not does.endswith(".")


def test_keys_are_named_as_on_a_keyboard() -> None:
    names = [key_name(command) for command in COMMANDS]
    assert "?" in names
    assert not [name for name in names if "_" in name]


@pytest.mark.parametrize("verb", VERBS)
def test_here_a_verb_is_what_a_person_would_type_and_never_asks(verb: str) -> None:
    import console.verbs  # noqa: F401, PLC0415 (its commands join the console's)

    words = verb_words(verb, "@local", "qwen", INVENTORY)
    assert words is not None
    assert words[:3] == [str(ROOT / "main.sh"), verb, "qwen"]
    options = {opt for parameter in cli.commands[verb].params for opt in parameter.opts}
    assert words[3:] == (["-y"] if "-y" in options else [])


def test_on_another_host_pyinfra_does_it_for_that_service_alone() -> None:
    words = verb_words("restart", "ws1", "qwen", INVENTORY)
    assert words is not None
    assert words[3:] == [
        "-y",
        str(INVENTORY),
        "deploys/stack.py",
        *("--limit", "ws1", "--data", "only=qwen", "--data", "restart=true"),
    ]
    assert verb_words("activate", "ws1", "qwen", INVENTORY) is None
    assert all((ROOT / "deploys" / f"{deploy}.py").exists() for deploy, _ in REMOTE.values())


def test_a_deploy_without_limits_is_for_all_hosts() -> None:
    assert "--limit" not in fleet_words("stack", INVENTORY)
    assert fleet_words("stack", INVENTORY, "a", "b")[-4:] == ["--limit", "a", "--limit", "b"]


def test_every_key_is_in_the_docs_and_in_readme() -> None:
    docs, readme = ((ROOT / name).read_text() for name in ("docs/app.md", "README.md"))
    section = readme.partition("## The terminal app")[2].partition("\n## ")[0]
    rows = [f"| `{key_name(c)}` | {c.name} | {c.does} |" for c in COMMANDS]
    assert [row for row in rows if row not in docs] == []
    assert [c.name for c in COMMANDS if f"`{key_name(c)}`" not in section] == []


def test_the_docs_name_the_columns_in_the_order_in_which_they_leave() -> None:
    docs = " ".join((ROOT / "docs/app.md").read_text().split())
    assert f"in this order: {', '.join(LEAVING)}." in docs
