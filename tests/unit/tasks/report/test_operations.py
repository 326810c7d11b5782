"""The lines at the end of a run."""

from __future__ import annotations

from tasks.ollama.observed import ObservedServer, ServedModel
from tasks.report.operations import summary
from tests.unit.tasks.samples import DIGEST, container, snapshot, spec, stack

STACK = stack()
MODEL = STACK.services[0].model


def test_each_service_has_a_line_and_what_is_not_ours_is_shown() -> None:
    held = {name: ServedModel(name, DIGEST, 5) for name in (MODEL, "mine:1")}
    seen = snapshot(container(spec(STACK)), servers={"qwen": ObservedServer("0.24.0", held)})
    lines = list(summary(STACK, seen))
    assert lines[0].split() == [
        "qwen",
        "http://127.0.0.1:11434",
        "active",
        f"{MODEL}@{DIGEST[7:19]}",
    ]
    assert lines[1].strip() == "not declared and left alone: mine:1"
    assert lines[2].split()[2:] == ["inactive", "deepseek-r1:8b", "is", "not", "there"]
