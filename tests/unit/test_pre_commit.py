"""The hooks before a commit: programs of this project's own, as `./main.sh lint` calls them."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent.parent
CONFIGURATION = YAML(typ="safe").load(ROOT / ".pre-commit-config.yaml")
HOOKS = [hook for repository in CONFIGURATION["repos"] for hook in repository["hooks"]]
# What a hook may be given; mypy looks at everything by itself, for seconds.
SAMPLES = {"python": ["tests/unit/test_pre_commit.py"], "shell": ["main.sh"]}


def words(hook: dict[str, Any]) -> list[str]:
    """Return the command of a hook; .venv is the environment that runs these tests."""
    program, *rest = shlex.split(hook["entry"])
    assert program.startswith(".venv/bin/")
    return [str(Path(sys.executable).with_name(Path(program).name)), *rest]


def test_nothing_is_downloaded() -> None:
    assert [repository["repo"] for repository in CONFIGURATION["repos"]] == ["local"]
    assert {hook["language"] for hook in HOOKS} == {"system"}


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_each_hook_runs_on_what_it_is_given(hook: dict[str, Any]) -> None:
    (kind, *_) = hook.get("types_or") or hook["types"]
    given = SAMPLES[kind] if hook.get("pass_filenames", True) else ["--version"]
    ended = subprocess.run(
        [*words(hook), *given], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_hooks_are_the_checks_of_lint() -> None:
    body = re.search(r"(?ms)^lint\(\) \{\n(.*?)^\}", (ROOT / "main.sh").read_text())
    assert body is not None
    checks = re.findall(r"-m (ruff check|ruff format|mypy)|bin/(shellcheck)", body[1])
    hooks = re.findall(
        r"-m (ruff check|ruff format|mypy)|bin/(shellcheck)", "\n".join(h["entry"] for h in HOOKS)
    )
    assert hooks == checks
    assert len(hooks) == len(HOOKS)
