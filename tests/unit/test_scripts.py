"""The shell scripts: clean by shellcheck, with a help and an exit status for wrong use."""

from __future__ import annotations

import os
import re
import shutil
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


def test_what_a_script_imports_is_there() -> None:
    found = [
        line.strip()
        for script in SCRIPTS
        for line in re.findall(
            r"from (?:tasks|console|lab)[\w.]* import [\w, ]+", script.read_text()
        )
    ]
    assert len(found) >= 3
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(found)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


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


LINTERS = ["ruff check .", "ruff format --check .", "mypy", "shellcheck main.sh .ci/run"]
# Stands for every program of .venv: writes down how it was called, fails where it is told to.
PROGRAM = """#!/bin/bash
name=$(basename "$0")
[[ $name == python ]] && shift || set -- "$name" "$@"
echo "$*" >>"$CALLS"
[[ "$*" != "$FAILING"* ]]
"""


@pytest.mark.parametrize("failing", [*LINTERS, "nothing"])
def test_each_check_is_made_and_ends_lint_where_it_fails(failing: str, tmp_path: Path) -> None:
    calls = linted(tmp_path, "lint", failing)
    expected = LINTERS[: LINTERS.index(failing) + 1] if failing in LINTERS else LINTERS
    assert [call.partition(" .scripts/")[0] for call in calls] == expected


@pytest.mark.parametrize("failing", [*LINTERS, "nothing"])
def test_the_tests_wait_for_lint(failing: str, tmp_path: Path) -> None:
    is_tested = any("pytest" in call for call in linted(tmp_path, "test", failing))
    assert is_tested == (failing == "nothing")


def linted(folder: Path, verb: str, failing: str) -> list[str]:
    """Run a verb of a copy of main.sh whose programs are not there; return how it called them."""
    for path in (ROOT / "main.sh", ROOT / ".scripts", ROOT / "requirements-dev.lock"):
        copy = shutil.copytree if path.is_dir() else shutil.copy
        copy(path, folder / path.name)
    programs = folder / ".venv/bin"
    programs.mkdir(parents=True)
    for name in ("python", "shellcheck"):
        (programs / name).write_text(PROGRAM)
        (programs / name).chmod(0o755)
    with (folder / ".venv/.installed-requirements-dev.lock").open("w") as stamp:
        lock = (folder / "requirements-dev.lock").open()
        subprocess.run(["sha256sum"], stdin=lock, stdout=stamp, check=True)
    calls = folder / "calls"
    environment = {**os.environ, "CALLS": str(calls), "FAILING": failing}
    command = [str(folder / "main.sh"), verb]
    ended = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert (ended.returncode == 0) == (failing not in LINTERS), ended.stderr
    return calls.read_text().splitlines()


def test_lint_takes_no_options() -> None:
    assert run(str(ROOT / "main.sh"), "lint", "--fix").returncode == 2
    assert run(str(ROOT / "main.sh"), "lint", "--help").stdout.startswith("usage: ./main.sh lint")
