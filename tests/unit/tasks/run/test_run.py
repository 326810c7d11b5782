"""What a run says while it is at work (attack 13)."""

from __future__ import annotations

import ast
from typing import Any, cast

import pytest
from pyinfra.api import Host

from tasks.declared.layers import ROOT
from tasks.run.run import Run
from tasks.run.take import DEBUG, unforeseen
from tasks.words.failures import Failure
from tests.unit.foreign import WORST, assert_literal, assert_only_shown
from tests.unit.tasks.samples import stack


class Spoken:
    """A host that keeps what is said of it."""

    name = "ws1"

    def __init__(self) -> None:
        self.lines: list[str] = []

    def log(self, line: str) -> None:
        self.lines.append(line)

    def log_styled(self, line: str, **_: Any) -> None:
        self.lines.append(line)


def test_attack_13_whatever_a_run_says_is_lines_that_only_show() -> None:
    host = Spoken()
    run = Run(host=cast(Host, host), stack=stack())
    run.log(WORST)
    run.note(WORST)
    run.fail(Failure(WORST, WORST, WORST, WORST))
    assert len(host.lines) == 5
    for line in host.lines:
        assert_only_shown(line)
        assert_literal(line)
        assert "\n" not in line


def test_a_long_command_is_not_cut() -> None:
    host = Spoken()
    command = "docker run " + "-e A=1 " * 1000
    Run(host=cast(Host, host), stack=stack()).log(command)
    assert host.lines == [command]


def test_attack_13_a_traceback_that_was_asked_for_only_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(DEBUG, "1")
    unforeseen("x", ValueError(WORST))
    told = capsys.readouterr().err
    assert "ValueError" in told
    assert_only_shown(told)


# Who may print or speak of a host: each makes printable what it says.
WAYS_OUT = {
    "print": {"tasks/run/last_words.py", "tasks/run/take.py", "deploys/verify.py"},
    "host.log": set(),
    "run.host.log": set(),
    "self.host.log": {"tasks/run/run.py"},
    "self.host.log_styled": {"tasks/run/run.py"},
    "click.echo": {"tasks/run/pyinfra/speech.py"},
    "traceback.print_exception": set(),
}


def test_attack_13_there_is_one_way_out_of_a_run() -> None:
    for path in [*sorted((ROOT / "tasks").rglob("*.py")), *sorted((ROOT / "deploys").glob("*.py"))]:
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert name in WAYS_OUT.get(called, {name}), f"{name}:{node.lineno}: {called}"
