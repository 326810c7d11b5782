"""Docker Engine: the one that answers, or one that the lab installs and starts."""

from __future__ import annotations

import ipaddress
import os
import time
from pathlib import Path

import docker
from docker.errors import APIError, DockerException

from lab import processes
from lab.errors import LabError
from lab.paths import lab_id, made_state_folder
from lab.processes import Program
from lab.say import line, step
from lab.settings import address_of_device
from lab.shell import as_root, find, require_root, run
from lab.state import Engine
from lab.tools import install

SOCKET = "/var/run/docker.sock"
PACKAGES = ("docker.io", "iptables", "iproute2", "ca-certificates")
UNIT = "docker.service"
LABEL = "ollama-stack.lab"
LAB_LABEL = "ollama-stack.lab.id"
START_SECONDS = 60
_BRIDGE_NAME = "com.docker.network.bridge.name"


def socket_path() -> str:
    """Return the engine's socket: DOCKER_HOST where it names one, else the usual one."""
    host = os.environ.get("DOCKER_HOST", "")
    if host and not host.startswith("unix://"):
        raise LabError(
            f"DOCKER_HOST is {host}", "unset it: the lab needs an engine on this machine"
        )
    return host.removeprefix("unix://") or SOCKET


def client(socket: str, timeout: float = 60) -> docker.DockerClient:
    """Return a client of the engine at a socket."""
    return docker.DockerClient(base_url=f"unix://{socket}", timeout=int(timeout))


def version(socket: str) -> str | None:
    """Return the version of the engine that answers at a socket; None where none does."""
    if not Path(socket).exists():
        return None
    try:
        return str(client(socket, 5).version()["Version"])
    except (DockerException, OSError, KeyError):
        return None


def has_image(client: docker.DockerClient, name: str) -> bool:
    """Tell whether the engine has an image under a name with its tag."""
    return any(name in image.tags for image in client.images.list())


def remove_image(client: docker.DockerClient, name: str) -> None:
    """Take a name off an image, and the image with its last name, unless a container uses it."""
    try:
        client.images.remove(name)
    except APIError as error:
        if error.status_code not in (404, 409):
            raise


def labels() -> dict[str, str]:
    """Return the labels of everything that the lab makes in an engine."""
    return {LABEL: "1", LAB_LABEL: lab_id()}


def daemon() -> Program:
    """Return the engine's own program, for machines without systemd."""
    # An engine label changes nothing; it tells this daemon from any other.
    mark = f"--label={LAB_LABEL}={lab_id()}"
    return Program("dockerd", (find("dockerd") or "dockerd", mark), mark, needs_root=True)


def planned() -> Engine:
    """Return the engine as it is about to be used: found, or started or to be started by us."""
    socket = socket_path()
    unit = UNIT if _has_systemd() else ""
    if version(socket):
        return Engine(socket=socket, is_ours=was_started_by_us(), unit=unit)
    if socket != SOCKET:
        raise LabError(f"no engine answers at {socket}", "start it, or unset DOCKER_HOST")
    _require_access(socket)
    return Engine(socket=socket, is_ours=True, unit=unit)


def was_started_by_us() -> bool:
    """Tell whether the lab started the engine, even where it was killed right after."""
    return processes.pid_of(daemon()) is not None or _unit_record().exists()


def ensure_running(found: Engine) -> None:
    """Install and start the engine where it does not answer."""
    if version(found.socket):
        return
    line("No Docker Engine answers: the lab starts one, and `lab down` stops it.")
    if found.unit:
        _unit_record().touch()
    if find("dockerd") is None:
        install(PACKAGES, "Install Docker Engine")
    elif find("iptables") is None:
        install(("iptables",), "Install what Docker Engine needs")
    require_root("starting Docker Engine")
    with step("Start Docker Engine"):
        if found.unit:
            _start_unit(found)
        else:
            processes.start(daemon())
            processes.wait_until(lambda: _answers(found.socket), daemon(), START_SECONDS)
        _require_access(found.socket)


def _start_unit(found: Engine) -> None:
    run(as_root(["systemctl", "start", found.unit]), timeout=90)
    limit = time.monotonic() + START_SECONDS
    while not _answers(found.socket):
        if time.monotonic() > limit:
            raise LabError(f"{found.unit} runs and does not answer", f"see journalctl -u {UNIT}")
        time.sleep(0.2)


def _answers(socket: str) -> bool:
    return version(socket) is not None or _is_closed_to_us(socket)


def stop() -> None:
    """Stop the engine that the lab started."""
    if _unit_record().exists():
        run(as_root(["systemctl", "stop", "docker.socket", UNIT]), timeout=120)
        _unit_record().unlink()
    processes.stop(daemon(), seconds=60)


def gateway(found: Engine) -> ipaddress.IPv4Interface:
    """Return the address of the engine's default bridge on this machine."""
    options = client(found.socket).networks.get("bridge").attrs.get("Options") or {}
    address = address_of_device(str(options.get(_BRIDGE_NAME, "docker0")))
    if address is None:
        raise LabError(
            "the engine's bridge is not on this machine (Docker Desktop, or a rootless engine)",
            "use an ordinary Docker Engine, or a virtual machine with one",
        )
    return address


def _is_closed_to_us(socket: str) -> bool:
    return Path(socket).exists() and not os.access(socket, os.R_OK | os.W_OK)


def _require_access(socket: str) -> None:
    if _is_closed_to_us(socket):
        raise LabError(
            f"this user may not use {socket}",
            'run `sudo usermod -aG docker "$USER"`, log in again, then run again',
        )


def _unit_record() -> Path:
    """The file that says that systemd started the engine for us."""
    return made_state_folder("run") / "dockerd.unit"


def _has_systemd() -> bool:
    return Path("/run/systemd/system").is_dir()
