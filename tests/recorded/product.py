"""The product in a folder of its own, and its commands as a person types them.

A copy: the console locks a file in the root of the product, and a stack.toml may lie there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.recorded.console_here import PYTHON

ROOT = Path(__file__).resolve().parent.parent.parent
# What users run, and what the tests start pyinfra by.
PARTS = ("*.py", "main.sh", "pyproject.toml", "console", "tasks", "deploys", "group_data")
TESTS = ("tests/__init__.py", "tests/lies/__init__.py", "tests/lies/pyinfra_here.py")
LIMIT_SECONDS = 150
# No program of whoever runs the tests is looked at, nor their environment.
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

STAND_IN = """#!/bin/sh
case "$1 $2" in
-m\\ *run_pyinfra) shift 2; exec '{python}' -m tests.lies.pyinfra_here "$@" ;;
esac
exec '{python}' "$@"
"""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    status: int
    stdout: str
    stderr: str


class Product:
    """A copy of the product below a folder."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "product"
        for pattern in PARTS:
            for path in sorted(ROOT.glob(pattern)):
                self._copy(path)
        for name in TESTS:
            self._copy(ROOT / name)
        self._python = folder / "python"
        self._python.write_text(STAND_IN.format(python=sys.executable))
        self._python.chmod(0o755)
        self._own = {*self.files()}

    def _copy(self, path: Path) -> None:
        to = self.root / path.relative_to(ROOT)
        to.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            shutil.copytree(path, to, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(path, to)

    def files(self) -> Iterator[Path]:
        """Yield the files of the product, and what was written beside them."""
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path

    def written(self) -> list[Path]:
        """Return the files that commands wrote beside the product's own."""
        return [path for path in self.files() if path not in self._own]

    def console(self, own: Mapping[str, str], *words: str) -> Done:
        """Run the console; `own` is what a stack has of its own in the environment."""
        here = str(Path(__file__).with_name("console_here.py"))
        return self._run([sys.executable, "-P", here, *words], own)

    def pyinfra(self, own: Mapping[str, str], *words: str) -> Done:
        """Run pyinfra."""
        return self._run([sys.executable, "-m", "tests.lies.pyinfra_here", *words], own)

    def _run(self, command: list[str], own: Mapping[str, str]) -> Done:
        environment = {
            "PATH": PATH, "LANG": "C.UTF-8", "TZ": "UTC", "COLUMNS": "160", "NO_COLOR": "1",
            PYTHON: str(self._python), **own,
        }  # fmt: skip
        done = subprocess.run(
            command,
            cwd=self.root,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_SECONDS,
            umask=0o022,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)
