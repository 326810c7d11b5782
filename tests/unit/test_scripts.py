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


@pytest.mark.parametrize("script", SCRIPTS[2:], ids=lambda path: path.name)
def test_each_script_works_through_a_link_in_another_folder(script: Path, tmp_path: Path) -> None:
    link = tmp_path / "a link"
    link.symlink_to(script)
    told = run(str(link), "--help")
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout == run(str(script), "--help").stdout


def test_a_link_finds_the_installation(tmp_path: Path) -> None:
    link = tmp_path / "models"
    link.symlink_to(ROOT / ".scripts/model_manager.sh")
    direct = run(str(ROOT / "main.sh"), "db", "path")
    assert run(str(link), "database").stdout == direct.stdout
    assert Path(direct.stdout.strip()).suffix == ".db"


def test_setup_refuses_what_it_does_not_know() -> None:
    refused = run(str(ROOT / ".scripts/setup.sh"), "nonsense")
    assert refused.returncode == 2
    assert "no option 'nonsense'" in refused.stderr


@pytest.mark.parametrize("words", [[], ["nonsense"], ["activate"], ["query"]])
def test_the_model_manager_ends_with_2_for_wrong_words(words: list[str]) -> None:
    refused = run(str(ROOT / ".scripts/model_manager.sh"), *words)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr


def test_the_model_manager_refuses_what_it_does_not_know() -> None:
    refused = run(str(ROOT / ".scripts/model_manager.sh"), "nonsense")
    assert refused.returncode == 2
    assert "no command 'nonsense'" in refused.stderr
