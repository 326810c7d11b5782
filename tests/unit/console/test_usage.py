"""Wrong words: refused with 2 and a hint, before anything is looked at or edited."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import console.verbs  # noqa: F401 (registers the verbs)
from console.group import app


@pytest.fixture
def declaration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "stack.toml"
    # Where no engine answers, so that a verb which looks first fails in another way.
    path.write_text(f'docker_socket = "{tmp_path}/none"\n[models.mistral]\nactive = false\n')
    monkeypatch.setenv("STACK_FILE", str(path))
    return path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words, prog_name="main.sh")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["activate"], "name a service"),
        (["activate", "nobody"], "declared: qwen"),
        (["activate", "qwn"], "did you mean qwen?"),
        (["activate", "qwen", "--all"], "leave the names out"),
        (["deactivate", "qwen", "mistrl"], "did you mean mistral?"),
        (["restart", "nobody"], "nobody"),
        (["pull", "qwen", "a b"], "a b"),
        (["pull", "qwen"], "MODEL"),
        (["pull", "qwe", "tiny-qwen:v1"], "did you mean qwen?"),
        (["chat", "nobody", "x"], "nobody"),
        (["chat", "qwen", ""], "PROMPT"),
        (["history", "-n", "0"], "-n"),
        (["logs", "qwen", "-n", "-1"], "-1"),
        (["logs", "qwen", "-n", "some"], "some"),
        (["logs", "qwem"], "did you mean qwen?"),
        (["endpoint", "nobody"], "nobody"),
        (["env", "qwem"], "did you mean qwen?"),
        (["env", "mistral"], "declared inactive"),
        (["connect", "qilo"], "did you mean kilo?"),
        (["connect", "--print"], "wants a CLIENT"),
        (["connect", "kilo", "--print", "--remove"], "together"),
        (["tunnel"], "HOST"),
        (["tunnel", "--", "-oProxyCommand=x"], "is no host"),
        (["upgrade", "qwn"], "did you mean qwen?"),
        (["upgrade", "--image", "--models"], "together"),
        (["upgrade", "qwen", "--to", "a:b"], "a:b"),
        (["rollback", "nobody"], "nobody"),
        (["plan", "--budget", "nan"], "budget"),
        (["plan", "--budget", "0"], "budget"),
        (["status", "--interval", "1"], "--watch"),
        (["status", "--watch", "--interval", "0"], "interval"),
        (["sync", "all"], "all"),
        (["completion", "tcsh"], "tcsh"),
        (["db", "nonsense"], "nonsense"),
        (["db", "query"], "SQL"),
        (["statsu"], "status"),
        (["status", "--jsn"], "--json"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_use_ends_with_2_and_a_hint(declaration: Path, words: list[str], hint: str) -> None:
    before = declaration.read_text()
    result = run(*words)
    assert result.exit_code == 2
    assert hint in result.stderr
    assert result.stdout == ""
    assert declaration.read_text() == before


@pytest.mark.parametrize("words", [["restart"], ["chat"], ["upgrade"]])
def test_an_inactive_service_is_to_be_activated_first(declaration: Path, words: list[str]) -> None:
    result = run(*words, "mistral")
    assert result.exit_code == 2
    assert "activate" in result.stderr


@pytest.mark.parametrize("name", sorted(app.commands))
def test_every_verb_has_a_help_of_its_own(name: str) -> None:
    command = app.commands[name]
    assert command.help
    if name not in ("setup", "test", "lint", "lab", "bench"):
        result = run(name, "--help")
        assert result.exit_code == 0
        assert result.stdout.startswith(f"Usage: main.sh {name}")
