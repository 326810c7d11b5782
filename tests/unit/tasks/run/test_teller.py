"""What a run says while it is at work (attack 13), and where it keeps it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tasks.declared.layers import ROOT
from tasks.records import journal
from tasks.records.runlog import RunLog, log_path
from tasks.run.teller import Teller
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step
from tests.unit.foreign import WORST, assert_literal, assert_only_shown
from tests.unit.tasks.runs import HOST, KeptScreen
from tests.unit.tasks.samples import stack

FAILURE = Failure("pull m: failed", "no answer", "wait", "qwen")
STEP = Step(Action.CREATE, "ollama-qwen", "create container", "there is none", "qwen")


@pytest.fixture
def screen() -> KeptScreen:
    return KeptScreen()


@pytest.fixture
def teller(screen: KeptScreen) -> Teller:
    return Teller(HOST, screen)


def test_attack_13_whatever_a_run_says_is_lines_that_only_show(
    teller: Teller, screen: KeptScreen
) -> None:
    teller.log(WORST)
    teller.note(WORST)
    teller.fail(Failure(WORST, WORST, WORST, WORST))
    assert len(screen.lines) == 5
    for line in screen.lines:
        assert_only_shown(line)
        assert_literal(line)
        assert "\n" not in line


def test_a_long_command_is_not_cut(teller: Teller, screen: KeptScreen) -> None:
    command = "docker run " + "-e A=1 " * 1000
    teller.log(command)
    assert screen.lines == [command]


def test_a_note_is_shown_once(teller: Teller, screen: KeptScreen) -> None:
    teller.note("a GPU is there")
    teller.note("a GPU is there")
    assert teller.notes == screen.lines == ["a GPU is there"]


@pytest.mark.parametrize(
    ("of", "failed"), [("qwen", {"qwen"}), ("", {"", "qwen", "mistral"}), ("mistral", {"mistral"})]
)
def test_a_failure_is_of_its_service_and_one_of_the_host_of_all(
    teller: Teller, of: str, failed: set[str]
) -> None:
    teller.fail(Failure("x", "y", "z", of))
    assert {name for name in ("", "qwen", "mistral") if teller.has_failed(name)} == failed


def test_what_happens_is_told_to_the_console_and_the_log_as_well(
    teller: Teller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lines"
    monkeypatch.setenv(journal.JOURNAL, str(path))
    declared = stack(database=str(tmp_path / "models.db"))
    teller.record = RunLog.of(declared, "RUN", HOST, teller.note)
    teller.changed(STEP)
    teller.fail(FAILURE)
    teller.note("look at it")
    told = [(line["kind"], line["host"]) for line in journal.read(path)]
    assert told == [("change", HOST), ("failure", HOST), ("note", HOST)]
    (event,) = teller.events
    assert (event.service, event.action, event.subject) == ("qwen", "create", "ollama-qwen")
    log = log_path(declared)
    assert log is not None
    text = log.read_text()
    assert "create ollama-qwen (there is none)" in text and "cause: no answer" in text


# Who may print or speak of a host, by how that is called: each makes printable what it says.
WAYS_OUT = {
    "print": {"tasks/run/last_words.py", "tasks/run/unforeseen.py", "deploys/verify.py"},
    "print_exception": set(),
    "host.log": {"tasks/run/pyinfra/host_shell.py"},
    "log_styled": {"tasks/run/pyinfra/host_shell.py"},
    "screen.line": {"tasks/run/teller.py"},
    "echo": {"tasks/run/pyinfra/speech.py"},
}


def test_attack_13_there_is_one_way_out_of_a_run() -> None:
    for path in [*sorted((ROOT / "tasks").rglob("*.py")), *sorted((ROOT / "deploys").glob("*.py"))]:
        name = str(path.relative_to(ROOT))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                for way, who_may in WAYS_OUT.items():
                    is_way = called == way or called.endswith(f".{way}")
                    assert not is_way or name in who_may, f"{name}:{node.lineno}: {called}"
