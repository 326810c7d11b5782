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
# Docker's own client, which logs and events are read by, looks for paramiko by itself.
WITH_DOCKER = tuple(name for name in OF_DEPLOYS if name != "paramiko")
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
# A thread of the app imports it: here before anybody looks at what is loaded.
import console.looking.offers

async def start():
    app = StackApp()
    async with app.run_test() as pilot:
        while not app.feed.looks:
            await pilot.pause(0.05)
        assert app.feed.view.fault.cause.startswith("Docker is not running here"), app.feed.view

asyncio.run(start())
{LOADED}
"""


@pytest.fixture
def without_docker(tmp_path: Path) -> dict[str, str]:
    """Declare a stack of which no engine answers; everything that is written is the test's."""
    names = {"docker_socket": "docker.sock", "database": "models.db", "lock": "stack.lock"}
    paths = {key: tmp_path / name for key, name in {**names, "log_file": "stack.log"}.items()}
    file = tmp_path / "stack.toml"
    file.write_text("".join(f'{name} = "{path}"\n' for name, path in paths.items()))
    return {**os.environ, "STACK_FILE": str(file), "PYTHONPATH": str(ROOT)}


def run(code: str, environment: dict[str, str], *words: str) -> tuple[set[str], str]:
    """Return the packages that a fresh process has loaded when it is through, and its errors."""
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
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {*json.loads(done.stdout.splitlines()[-1])}, done.stderr


@pytest.mark.parametrize("words", [["status"], ["status", "--json"], ["--help"], []])
def test_a_verb_that_looks_loads_nothing_of_deploys(
    without_docker: dict[str, str], words: list[str]
) -> None:
    packages, said = run(VERB, without_docker, *words)
    assert words == ["--help"] or "cause:  Docker is not running here" in said
    assert packages.isdisjoint(OF_DEPLOYS)
    # Neither does it load what only the app, an edit of stack.toml or a log needs.
    assert packages.isdisjoint({"textual", "tomlkit", "docker", "ollama"})


def test_the_app_starts_without_it(without_docker: dict[str, str]) -> None:
    packages, _ = run(APP, without_docker)
    assert packages.isdisjoint(WITH_DOCKER)


def test_no_module_of_the_console_names_it() -> None:
    naming = [
        module_of(path)
        for path in files("console")
        if any(name.partition(".")[0] in OF_DEPLOYS for name in imported(path))
    ]
    assert naming == ["console.run_pyinfra"]


def test_nothing_that_the_console_imports_loads_it(without_docker: dict[str, str]) -> None:
    """Of all its modules, and all that they import, wherever in them the import stands."""
    paths = [path for path in files("console") if module_of(path) != "console.run_pyinfra"]
    modules = {module_of(path) for path in paths}
    modules |= {name for path in paths for name in from_tasks(path)}
    code = "".join(f"import {name}\n" for name in sorted(modules)) + f"import json, sys\n{LOADED}"
    packages, _ = run(code, without_docker)
    assert packages.isdisjoint(WITH_DOCKER)


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
