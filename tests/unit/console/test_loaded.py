"""What the console loads: nothing of what runs deploys. Of status everybody pays each second."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.declared.layers import ROOT
from tests.unit.test_floors import files, imported, module_of

OF_DEPLOYS = ("pyinfra", "pyinfra_cli", "paramiko", "gevent")
LOADED = "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
VERB = f"""
import json, sys
from console.cli import main
try:
    main()
except SystemExit as ended:
    sys.stdout.flush()
print()
{LOADED}
"""
APP = f"""
import asyncio, json, sys
from console.app.app import StackApp

async def start():
    app = StackApp()
    async with app.run_test() as pilot:
        # What the app offers to upgrade is asked for in a thread of its own.
        while not (app.feed.looks and hasattr(sys.modules.get("console.looking.offers"), "offers")):
            await pilot.pause(0.05)

asyncio.run(start())
{LOADED}
"""
IN_TASKS = pytest.mark.xfail(strict=True, reason="modules of tasks/ still import pyinfra for facts")


@pytest.fixture
def without_docker(tmp_path: Path) -> dict[str, str]:
    """Declare a stack of which no engine answers; everything that is written is the test's."""
    paths = {name: tmp_path / name for name in ("docker_socket", "database", "lock", "log_file")}
    file = tmp_path / "stack.toml"
    file.write_text("".join(f'{name} = "{path}"\n' for name, path in paths.items()))
    return {**os.environ, "STACK_FILE": str(file), "PYTHONPATH": str(ROOT)}


def loaded(code: str, environment: dict[str, str], *words: str) -> set[str]:
    """Return the packages that a fresh process has loaded when it is through."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words],
        env=environment,
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return {*json.loads(done.stdout.splitlines()[-1])}


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["--help"], []])
def test_a_verb_that_looks_loads_nothing_of_deploys(
    without_docker: dict[str, str], words: list[str]
) -> None:
    packages = loaded(VERB, without_docker, *words)
    assert "click" in packages
    assert packages.isdisjoint(OF_DEPLOYS)
    # Neither does it load what only the app, an edit of stack.toml or a log needs.
    assert packages.isdisjoint({"textual", "tomlkit", "docker", "ollama"})


@IN_TASKS
def test_the_app_starts_without_it(without_docker: dict[str, str]) -> None:
    packages = loaded(APP, without_docker)
    assert "textual" in packages
    assert packages.isdisjoint(OF_DEPLOYS)


def test_no_module_of_the_console_names_it() -> None:
    naming = [
        module_of(path)
        for path in files("console")
        if any(name.partition(".")[0] in OF_DEPLOYS for name in imported(path))
    ]
    assert naming == ["console.run_pyinfra"]


@IN_TASKS
def test_nothing_that_the_console_imports_loads_it(without_docker: dict[str, str]) -> None:
    """Of all its modules, and all that they import, wherever in them the import stands."""
    paths = [path for path in files("console") if module_of(path) != "console.run_pyinfra"]
    modules = {module_of(path) for path in paths}
    modules |= {name for path in paths for name in from_tasks(path)}
    code = "".join(f"import {name}\n" for name in sorted(modules)) + f"import json, sys\n{LOADED}"
    assert loaded(code, without_docker).isdisjoint(OF_DEPLOYS)


def from_tasks(path: Path) -> set[str]:
    """Return the modules of tasks/ that a file imports from."""
    nodes = ast.walk(ast.parse(path.read_text()))
    there = {module_of(file) for file in files("tasks")}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module]
    return {
        name
        for node in froms
        for name in (str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names))
        if name in there
    }
