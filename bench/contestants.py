"""The contestants: what each runs, where, and how it says that nothing was to do."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.declared import ansible_variables, compose_variables
from bench.errors import BenchError
from tests.stack.installation import PYINFRA, ROOT, Installation

BENCH = ROOT / "bench"
RUN_LIMIT = 600
# Locales and settings of the person who measures are no part of the comparison.
PLAIN = {"NO_COLOR": "1", "LC_ALL": "C.UTF-8"}


@dataclass(frozen=True)
class Contestant:
    """One way to converge. `says_no_change` judges what a run printed.

    `installation` is what it keeps in order, None for the empty run.
    """

    name: str
    command: Sequence[str]
    folder: Path
    says_no_change: Callable[[str], bool]
    installation: Installation | None = None
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self) -> str:
        """Run to the end and return what was printed. Raises BenchError where it fails."""
        try:
            done = subprocess.run(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                cwd=self.folder,
                env={**os.environ, **PLAIN, **self.environment},
                timeout=RUN_LIMIT,
                check=False,
            )
        except subprocess.TimeoutExpired:
            cause = f"{self.name} took more than {RUN_LIMIT} s"
            raise BenchError(cause, "see `docker ps` and the lab") from None
        if done.returncode:
            raise BenchError(f"{self.name} failed:\n{done.stdout}", "see what it says")
        return done.stdout

    def run_without_change(self) -> None:
        """Run, and see that it had nothing to do. Raises BenchError where it had."""
        output = self.run()
        if not self.says_no_change(output):
            raise BenchError(f"{self.name} changed something again:\n{output}", "mend that first")

    def forget(self) -> None:
        """Take everything down that it keeps in order, back to a host that has only the images."""
        if self.installation is not None:
            self.installation.take_down()
            self.installation.database.unlink(missing_ok=True)
            self.installation.lock.unlink(missing_ok=True)


def ours(installation: Installation) -> Contestant:
    """Our converge."""
    return Contestant(
        "ollama-stack",
        [str(PYINFRA), "-y", "@local", "deploys/stack.py"],
        ROOT,
        _pyinfra_changed_nothing,
        installation,
        {"STACK_FILE": str(installation.stack_file)},
    )


def empty() -> Contestant:
    """pyinfra with one empty operation; run in this folder, so that it reads no group_data."""
    command = [str(PYINFRA), "-y", "@local", "empty.py"]
    return Contestant("pyinfra, one empty operation", command, BENCH, _pyinfra_changed_nothing)


def ansible(programs: Path, installation: Installation, docker_package: str) -> Contestant:
    """The playbook. Without an inventory `localhost` uses Ansible's own Python."""
    variables = installation.folder / "variables.json"
    declared = ansible_variables(installation) | {"docker_package": docker_package}
    variables.write_text(json.dumps(declared, indent=2))
    settings = installation.folder / "ansible.cfg"
    settings.touch()
    return Contestant(
        "Ansible",
        [str(programs / "ansible-playbook"), "playbook.yml", "-e", f"@{variables}"],
        BENCH,
        lambda output: re.search(r"changed=0\s+unreachable=0\s+failed=0", output) is not None,
        installation,
        {
            "ANSIBLE_CONFIG": str(settings),
            "ANSIBLE_HOME": str(installation.folder / "ansible"),
            "ANSIBLE_LOCALHOST_WARNING": "False",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "False",
        },
    )


def compose(words: Sequence[str], installation: Installation) -> Contestant:
    """`docker compose up -d`."""
    name = installation.prefix.strip("-")
    files = ["--project-name", name, "--file", "compose.yaml"]
    return Contestant(
        "docker compose up -d",
        [*words, *files, "up", "-d"],
        BENCH,
        _compose_changed_nothing,
        installation,
        compose_variables(installation),
    )


def _pyinfra_changed_nothing(output: str) -> bool:
    """Read the last row of pyinfra's table: operations, successes, errors, no changes."""
    total = re.search(r"Grand total +(\d+) +(\S+) +(\S+) +(\S+)", output)
    return total is not None and total[2] == total[3] == "-" and total[1] == total[4]


def _compose_changed_nothing(output: str) -> bool:
    states = re.findall(r"Container \S+\s+(\w+)", output)
    return bool(states) and set(states) == {"Running"}


def difference(first: Installation, second: Installation) -> list[str]:
    """Return what the containers of two installations do not have in common, names aside."""
    services = first.declared["models"]
    pairs = [(s, _essence(first, s), _essence(second, s)) for s in services]
    return [
        f"{service}: {key} is {mine[key]} and {theirs[key]}"
        for service, mine, theirs in pairs
        for key in mine
        if mine[key] != theirs[key]
    ]


def _essence(installation: Installation, service: str) -> dict[str, Any]:
    attrs = installation.inspect(service)
    config, host = attrs["Config"], attrs["HostConfig"]
    (binding,) = host["PortBindings"].values()
    return {
        "image": attrs["Image"],
        "environment": sorted(config["Env"]),
        "health check": {k: v for k, v in config["Healthcheck"].items() if v},
        "stop timeout": config.get("StopTimeout"),
        "restart": host["RestartPolicy"]["Name"],
        "log": host["LogConfig"],
        "address": binding[0]["HostIp"],
        "volume": [(m["Type"], m["Destination"]) for m in attrs["Mounts"]],
        "networks": list(attrs["NetworkSettings"]["Networks"]),
    }
