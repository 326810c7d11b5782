"""Three fresh hosts over SSH as one fleet: their inventory, runs against it, ways to break one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from lab import state
from lab.state import Host, LabState
from lab.ways import settings, way_to
from tasks.database.database import rows_of
from tasks.records.lockfile import LockFile
from tests.stack.installation import PYINFRA, ROOT, WITHOUT_TERMINAL, Output
from tests.stack.lab_command import lab_command

NAMES = ("fl1", "fl2", "fl3")
RUN_LIMIT = 600


@dataclass
class Fleet:
    """Hosts with one database and one lock. `data` is what the inventory says of single hosts."""

    folder: Path
    lab: LabState
    hosts: dict[str, Host] = field(default_factory=dict)
    data: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.write()

    @property
    def database(self) -> Path:
        """The one database."""
        return self.folder / "models.db"

    @property
    def lock(self) -> LockFile:
        """The one lock, as it is now."""
        return LockFile.load(self.folder / "stack.lock")

    @property
    def inventory(self) -> Path:
        """The inventory file: a group of all hosts."""
        return self.folder / "inventory.py"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a run."""
        return {**os.environ, "STACK_FILE": str(self.folder / "stack.toml"), "NO_COLOR": "1"}

    def write(self, **declared: Any) -> None:
        """Write stack.toml: where the records are, and what a test declares for all hosts."""
        records = {"database": str(self.database), "lock": str(self.folder / "stack.lock")}
        (self.folder / "stack.toml").write_text(tomlkit.dumps({**records, **declared}))

    def up(self, *names: str) -> None:
        """Bring hosts up, and learn how to reach them."""
        for name in names:
            lab_host("up", name)
            found = state.load().host(name)
            assert found is not None
            self.hosts[name] = found

    def run(self, *words: str, deploy: str = "stack", inventory: str = "") -> Output:
        """Run pyinfra against the fleet."""
        process = self.begin(*words, deploy=deploy, inventory=inventory)
        text, _ = process.communicate(timeout=RUN_LIMIT)
        assert "Traceback" not in text, text
        return Output(process.returncode, text)

    def begin(
        self, *words: str, deploy: str = "stack", inventory: str = ""
    ) -> subprocess.Popen[str]:
        """Start a run and leave it to the test to wait for it."""
        self.write_inventory()
        return subprocess.Popen(
            [str(PYINFRA), inventory or str(self.inventory), f"deploys/{deploy}.py", *words],
            env=self.environment,
            **WITHOUT_TERMINAL,
        )

    def write_inventory(self) -> None:
        """Write the inventory, with what a test says of single hosts."""
        hosts = [(n, {**way_to(h), **self.data.get(n, {})}) for n, h in self.hosts.items()]
        self.inventory.write_text(f"fresh = ({hosts!r}, {settings(self.lab)!r})\n")

    def status(self, *words: str) -> tuple[int, Any]:
        """Ask the console about the fleet; returns its exit status and what it says as JSON."""
        self.write_inventory()
        result = subprocess.run(
            [sys.executable, "main.py", "status", "--json", "--inventory", self.inventory, *words],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return result.returncode, json.loads(result.stdout or "null")

    def states(self) -> dict[str, str]:
        """Return what the database says of each service: active or inactive."""
        return {row["name"]: row["status"] for row in rows_of(self.database, "models")}

    def on(self, name: str, script: str) -> str:
        """Run a script on a host as root, past ssh."""
        command = ["docker", "exec", self.hosts[name].container, "sh", "-c", script]
        return subprocess.run(command, text=True, capture_output=True, check=True).stdout


def lab_host(verb: str, name: str) -> None:
    """Bring a host of the lab up or down."""
    lab_command("host", verb, name)


def last_words(output: Output) -> dict[str, str]:
    """Return the last lines of a run, by host."""
    parts = re.split(r"^\d+ failures? on ([^:\n]+):$", output.text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def done_on(output: Output, name: str) -> set[str]:
    """Return what pyinfra says of the operations on a host: "Success", "No changes" …"""
    said = re.findall(rf"^\s+\[{name}\] (Success|No changes|Error.*)$", output.text, re.MULTILINE)
    return set(said)
