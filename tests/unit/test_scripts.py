"""The shell scripts: clean by shellcheck, with a help and an exit status for wrong use."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = [ROOT / "main.sh", ROOT / ".ci/run", *sorted((ROOT / ".scripts").glob("*.sh"))]


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, text=True, capture_output=True, check=False, cwd="/")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_shellcheck_finds_nothing(script: Path) -> None:
    shellcheck = Path(sys.executable).with_name("shellcheck")
    found = run(str(shellcheck), str(script))
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("script", SCRIPTS[2:], ids=lambda path: path.name)
def test_each_script_tells_how_it_is_used(script: Path) -> None:
    told = run(str(script), "--help")
    assert told.returncode == 0
    assert told.stdout.startswith("usage: ")


def test_the_model_manager_refuses_what_it_does_not_know() -> None:
    refused = run(str(ROOT / ".scripts/model_manager.sh"), "nonsense")
    assert refused.returncode == 2
    assert "no command 'nonsense'" in refused.stderr
