"""The installation of a driver on a fresh host that is dressed as Ubuntu 24.04.

Its only package source is a folder of empty packages with names of Ubuntu, built here; the card
is told (see driver_alone.py). What is real: ssh, sudo, apt, dpkg, and everything of this project.
"""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import state
from lab.state import Host, LabState
from tests.stack import one_host
from tests.stack.conftest import Maker
from tests.stack.installation import OWN_SOCKET, Installation, Output
from tests.stack.lab_command import lab_command
from tests.stack.one_host import on_host

NAME = "nv1"
NEW = "nvidia-driver-580-open"
MODULES = "linux-modules-nvidia-580-open-generic"
OLD = "nvidia-driver-570"
FOREIGN = "invented-renderer"
ONE_DRIVER = "Provides: nvidia-driver-binary\nConflicts: nvidia-driver-binary\n"
PACKAGES = {
    NEW: ("580.95.05-0ubuntu0.24.04.2", ONE_DRIVER),
    MODULES: ("6.8.0-79.79+1", ""),
    OLD: ("570.133.20-0ubuntu0.24.04.1", ONE_DRIVER),
    FOREIGN: ("1.0", f"Depends: {OLD}\n"),
}
UBUNTU = 'ID=ubuntu\nVERSION_ID="24.04"\nPRETTY_NAME="Ubuntu 24.04.3 LTS"\n'
PREPARE = f"""
rm -f /etc/os-release; cat >/etc/os-release
mv /etc/apt/sources.list /root/; rm -f /etc/apt/sources.list.d/* /var/lib/apt/lists/*_*
echo 'deb [trusted=yes] file:/srv/invented ./' >/etc/apt/sources.list
dpkg -i /srv/invented/{OLD}.deb /srv/invented/{FOREIGN}.deb
"""


def build(folder: Path) -> None:
    """Build the empty packages and the index that apt reads."""
    index = []
    for name, (version, more) in PACKAGES.items():
        control = (
            f"Package: {name}\nVersion: {version}\nArchitecture: all\n{more}"
            "Maintainer: Nobody <nobody@invented.example>\nDescription: invented, empty\n"
        )
        root = folder / "roots" / name
        (root / "DEBIAN").mkdir(parents=True)
        (root / "DEBIAN" / "control").write_text(control)
        deb = folder / "repository" / f"{name}.deb"
        deb.parent.mkdir(exist_ok=True)
        subprocess.run(["dpkg-deb", "--build", "-Znone", root, deb], check=True)
        content = deb.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        index.append(f"{control}Filename: ./{name}.deb\nSize: {len(content)}\nSHA256: {digest}\n")
    (folder / "repository" / "Packages").write_text("\n".join(index))


@pytest.fixture(scope="module")
def host(lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A fresh host with a driver 570 that is installed, and another program that needs it."""
    folder = tmp_path_factory.mktemp("packages")
    build(folder)
    lab_command("host", "up", NAME)
    found = state.load().host(NAME)
    assert found is not None
    target = f"{found.container}:/srv/invented"
    subprocess.run(["docker", "cp", folder / "repository", target], check=True)
    prepare = ["docker", "exec", "-i", found.container, "sh", "-ec", PREPARE]
    subprocess.run(prepare, input=UBUNTU, text=True, check=True)
    yield found
    lab_command("host", "down", NAME)


@pytest.fixture(scope="module")
def installation(make: Maker) -> Installation:
    """A declaration that asks for the driver."""
    return make(settings={"gpu": "auto", "driver": "install"}, docker_socket=OWN_SOCKET)


def run(installation: Installation, host: Host, *words: str) -> Output:
    """Run the driver's stages against the host, as its ordinary user."""
    return one_host.run(installation, host, *words, deploy="tests/stack/driver_alone.py")


def packages(host: Host) -> set[str]:
    """Return which of the packages are installed."""
    shape = "-f=${db:Status-Abbrev} ${Package}\\n"
    rows = on_host(host, "dpkg-query", "-W", shape).splitlines()
    return {row.split()[1] for row in rows if row.startswith("ii")} & {*PACKAGES}


def test_a_driver_that_others_need_is_not_replaced(installation: Installation, host: Host) -> None:
    output = run(installation, host, "-y")
    assert output.status == 1
    assert f"no part of the old driver: {FOREIGN}" in output.text
    assert "nothing was changed" in output.text
    assert packages(host) == {OLD, FOREIGN}


def test_fault_6_an_old_driver_is_replaced_and_who_requires_the_gpu_waits_for_the_reboot(
    installation: Installation, host: Host
) -> None:
    on_host(host, "dpkg", "-r", FOREIGN)
    dry = run(installation, host, "--dry", "--data", "gpu=required")
    assert packages(host) == {OLD}
    started = on_host(host, "cat", "/proc/1/stat").split()[21]
    output = run(installation, host, "-y", "--data", "gpu=required")
    assert output.planned == dry.planned == [step for step in output.done if step in dry.planned]
    assert "driver 570.133.20 → 580.95.05" in output.planned[0]
    assert "works after a reboot" in output.text
    assert packages(host) == {NEW, MODULES}
    assert on_host(host, "cat", "/proc/1/stat").split()[21] == started
    assert output.status == dry.status == 1
    assert "qwen: the NVIDIA driver needs a reboot" in output.text.partition("failures on ")[2]


@pytest.mark.parametrize(("gpu", "status"), [("auto", 0), ("required", 1)])
def test_before_the_reboot_a_second_run_changes_nothing_and_says_so(
    installation: Installation, host: Host, gpu: str, status: int
) -> None:
    output = run(installation, host, "-y", "--data", f"gpu={gpu}")
    assert output.status == status, output.text
    assert output.planned == []
    assert "the NVIDIA driver needs a reboot" in output.text and "sudo reboot" in output.text
