"""What is needed before an installation can be checked, and of which host that is asked."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from console.checks.finding import Check
from console.checks.ready import LOCKS, findings, packages
from console.checks.verify import is_here, suite
from tests.unit.tasks.samples import stack


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([], True),
        (["-k", "qwen"], True),
        (["--hosts=local://"], True),
        (["--hosts=ssh://user@host"], False),
        (["--hosts", "ssh://user@host"], False),
    ],
)
def test_only_a_check_of_this_machine_looks_for_docker_here(
    words: list[str], expected: bool
) -> None:
    assert is_here(words) is expected


def test_of_another_host_only_what_this_machine_does_is_looked_for() -> None:
    found = [finding.what for finding in findings(stack(), is_here=False)]
    assert found == ["Python", "Python packages", "declaration"]


@pytest.mark.parametrize("installed", LOCKS)
def test_packages_are_those_of_either_lock(tmp_path: Path, installed: str) -> None:
    (tmp_path / ".venv").mkdir()
    for name in LOCKS:
        (tmp_path / name).write_text(f"of {name}")
    assert not packages(tmp_path).is_well
    stamp = tmp_path / ".venv" / f".installed-{installed}"
    stamp.write_text(hashlib.sha256((tmp_path / installed).read_bytes()).hexdigest() + "  -\n")
    assert packages(tmp_path) == Check("Python packages", True, f"as in {installed}")
    (tmp_path / installed).write_text("newer")
    assert packages(tmp_path).remedy == "./main.sh ensure-venv"


def test_a_suite_that_cannot_be_collected_has_failed_and_was_not_interrupted(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "test_broken.py"
    broken.write_text("import no_such_module_anywhere")
    assert suite([str(broken)], as_json=True) == 1
