"""One fresh host over SSH with a declaration of a test's own."""

from __future__ import annotations

import subprocess
from pathlib import Path

from lab.state import Host
from lab.ways import way_to
from tests.stack.installation import PYINFRA, WITHOUT_TERMINAL, Installation, Output


def write_inventory(installation: Installation, host: Host) -> Path:
    """Write an inventory of the one host."""
    inventory = installation.folder / "inventory.py"
    inventory.write_text(f"fresh = [({host.name!r}, {way_to(host)!r})]\n")
    return inventory


def run(
    installation: Installation, host: Host, *words: str, deploy: str = "deploys/stack.py"
) -> Output:
    """Run pyinfra against the host, as its ordinary user."""
    result = subprocess.run(
        [str(PYINFRA), str(write_inventory(installation, host)), deploy, *words],
        env=installation.environment,
        **WITHOUT_TERMINAL,
        timeout=900,
        check=False,
    )
    output = Output(result.returncode, result.stdout)
    assert "Traceback" not in output.text, output.text
    return output


def on_host(host: Host, *words: str) -> str:
    """Run a command on the host as root, past ssh."""
    command = ["docker", "exec", host.container, *words]
    result = subprocess.run(command, text=True, capture_output=True, check=True)
    return result.stdout
