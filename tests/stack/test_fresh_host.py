"""A bare Debian host over SSH, without Docker and curl, by ordinary users (to be seen: 1, 4, 8)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import state
from lab.state import Host, LabState
from tests.stack.conftest import Maker
from tests.stack.installation import (
    PYINFRA,
    ROOT,
    SERVICES,
    WITHOUT_TERMINAL,
    Installation,
    Output,
)

NAME = "fresh"
INVENTORY = """
fresh = [("{address}", {{"ssh_user": "{user}", "ssh_port": {port}, "ssh_key": "{key}",
          "ssh_strict_host_key_checking": "off", "ssh_known_hosts_file": "{known}"}})]
"""


@pytest.fixture(scope="module")
def host(lab: LabState) -> Iterator[Host]:
    """A fresh host: systemd, ssh, a user with sudo; no Docker."""
    subprocess.run([sys.executable, "-m", "lab", "host", "up", NAME], cwd=ROOT, check=True)
    found = state.load().host(NAME)
    assert found is not None
    yield found
    subprocess.run([sys.executable, "-m", "lab", "host", "down", NAME], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def installation(make: Maker, lab: LabState) -> Installation:
    """The declaration for the host: the distribution's Docker, the lab's registries."""
    return make(
        settings={
            "docker_source": "distro",
            "image_mirror": f"{lab.addresses.gateway}:{lab.ports.images}",
            "image_mirror_insecure": True,
        },
    )


def write_inventory(installation: Installation, host: Host, user: str = "") -> Path:
    """Write an inventory of the one host, reached as its user or another one."""
    inventory = installation.folder / "inventory.py"
    inventory.write_text(
        INVENTORY.format(
            address=host.address,
            user=user or host.user,
            port=host.port,
            key=host.key,
            known=installation.folder / "known_hosts",
        )
    )
    return inventory


def run(
    installation: Installation, host: Host, *words: str, user: str = "", deploy: str = "stack"
) -> Output:
    """Run pyinfra against the host."""
    inventory = write_inventory(installation, host, user)
    result = subprocess.run(
        [str(PYINFRA), str(inventory), f"deploys/{deploy}.py", *words],
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


def add_user(host: Host, name: str, rule: str) -> None:
    """Make another user of the host, who logs in with the same key."""
    home = f"/home/{name}"
    script = (
        f"useradd -m -s /bin/sh {name}; mkdir -p {home}/.ssh;"
        f" cp /home/{host.user}/.ssh/authorized_keys {home}/.ssh/; chown -R {name} {home}/.ssh"
    )
    if rule:
        script += f"; echo '{name} ALL=(ALL) {rule}' >/etc/sudoers.d/{name}"
        script += f"; usermod -aG sudo {name}; echo '{name}:secret' | chpasswd"
    on_host(host, "sh", "-c", script)


@pytest.mark.parametrize(
    ("user", "rule", "part"),
    [("asked", "ALL", "sudo wants the password"), ("nobody1", "", "may use sudo")],
)
def test_fault_36_without_a_way_to_root_the_run_ends_at_once_and_says_why(
    installation: Installation, host: Host, user: str, rule: str, part: str
) -> None:
    add_user(host, user, rule)
    output = run(installation, host, "-y", user=user)
    assert output.status == 1
    assert part in output.text
    assert "remedy:" in output.text
    assert output.done == []


def test_one_run_from_a_bare_host_to_three_serving_models(
    installation: Installation, host: Host
) -> None:
    dry = run(installation, host, "--dry")
    assert dry.status == 0, dry.text
    assert subprocess.run(
        ["docker", "exec", host.container, "which", "dockerd"], capture_output=True, check=False
    ).returncode
    output = run(installation, host, "-y")
    assert output.status == 0, output.text
    assert dry.planned == output.planned
    assert [step for step in output.done if step in dry.planned] == dry.planned
    rows = installation.rows()
    for service in SERVICES:
        assert rows[f"{host.address}/{service}"]["status"] == "active"
    again = run(installation, host, "-y")
    assert set(again.operations.values()) == {"No changes"}, again.text


def test_testinfra_over_ssh_is_green(installation: Installation, host: Host) -> None:
    output = run(installation, host, "-y", deploy="verify")
    assert output.status == 0, output.text


def test_an_upgrade_and_a_rollback_over_ssh(installation: Installation, host: Host) -> None:
    name = f"{host.address}/qwen"
    only = ("-y", "--data", "only=qwen")
    for image, deploy in (("0.17.4", "upgrade"), ("0.24.0", "rollback")):
        installation.write(qwen={"image": f"ollama/ollama:{image}"})
        output = run(installation, host, *only, deploy=deploy)
        assert output.status == 0, output.text
        assert installation.rows("services")[name]["ollama"] == image
    again = run(installation, host, "-y")
    assert set(again.operations.values()) == {"No changes"}, again.text


def test_a_restart_of_the_host_brings_everything_back(
    installation: Installation, host: Host
) -> None:
    subprocess.run(["docker", "restart", "-t", "30", host.container], check=True)
    subprocess.run([sys.executable, "-m", "lab", "host", "up", NAME], cwd=ROOT, check=True)
    again = state.load().host(NAME)
    assert again is not None
    output = run(installation, again, "-y")
    assert output.status == 0, output.text
    assert "create" not in " ".join(output.planned)
    assert Path(installation.lock).exists()
