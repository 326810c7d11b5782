"""Fresh hosts: containers with systemd, ssh and apt, and without Docker, like a new server."""

from __future__ import annotations

import re
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from docker.errors import NotFound
from docker.models.containers import Container

from lab import engine, lock, rootfs, state
from lab.errors import LabError
from lab.host_files import ensure_key, furniture, write_ssh_files
from lab.paths import lab_id
from lab.say import step
from lab.shell import read
from lab.state import Host, LabState

START_SECONDS = 60
LOCK_SECONDS = 60
# --privileged is not to be had everywhere; these are what systemd and dockerd need.
CAPABILITIES = (
    *("SYS_ADMIN", "NET_ADMIN", "NET_RAW", "SYS_PTRACE", "MKNOD", "AUDIT_WRITE", "SETFCAP"),
    *("DAC_READ_SEARCH", "SYS_CHROOT", "IPC_LOCK"),
)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")
_READY = ("running", "degraded")


def up(name: str, *, sudo: bool = True) -> Host:
    """Bring a fresh host up and return how to reach it; one that is up stays as it is.

    Its user may become root without a password where `sudo`, and never otherwise.
    """
    if not _NAME.fullmatch(name):
        raise LabError(f"{name!r} is no name for a host", "use small letters, digits and dashes")
    with lock.locked(LOCK_SECONDS):
        lab = state.load()
        key = ensure_key()
        ensure_image(lab)
        host = lab.host(name) or Host(
            name=name,
            container=f"ollama-stack-lab-{lab_id()}-{name}",
            volume=f"ollama-stack-lab-{lab_id()}-{name}",
            user=rootfs.USER,
            key=str(key),
            sudo=sudo,
        )
        lab = _remember(lab, host)
        with step(f"Start the host {name}"):
            container = _ensure_container(lab, host)
            _wait_for_systemd(container, name)
            address = str(container.attrs["NetworkSettings"]["IPAddress"])
            _wait_for_ssh(address, name)
        host = host.model_copy(update={"address": address})
        lab = _remember(lab, host)
        _, public = _exec(container, "cat", "/etc/ssh/ssh_host_ed25519_key.pub")
        _check_login(write_ssh_files(lab.hosts, {address: public}), name)
    return host


def down(name: str) -> None:
    """Remove a host with its volume."""
    with lock.locked(LOCK_SECONDS):
        lab = state.load()
        host = lab.host(name)
        if host is None:
            raise LabError(f"the lab has no host {name!r}", "see `python -m lab status`")
        with step(f"Remove the host {name}"):
            _remove(lab, host)
        state.update(hosts=tuple(other for other in lab.hosts if other.name != name))


def ensure_image(lab: LabState) -> None:
    """Import the hosts' root file system into the engine unless it is there."""
    client = engine.client(lab.engine.socket, 300)
    if engine.has_image(client, rootfs.image_name()):
        return
    path = rootfs.archive()
    with step("Import the hosts' image"):
        repository, _, tag = rootfs.image_name().partition(":")
        client.api.import_image_from_file(str(path), repository=repository, tag=tag)


def _remember(lab: LabState, host: Host) -> LabState:
    others = tuple(other for other in lab.hosts if other.name != host.name)
    return state.save(lab.model_copy(update={"hosts": (*others, host)}))


def _ensure_container(lab: LabState, host: Host) -> Container:
    client = engine.client(lab.engine.socket)
    try:
        container = client.containers.get(host.container)
    except NotFound:
        client.volumes.create(host.volume, labels=engine.labels())
        container = client.containers.create(rootfs.image_name(), **_options(host))
    container.put_archive("/", furniture(host))
    container.start()
    container.reload()
    return container


def _options(host: Host) -> dict[str, Any]:
    return {
        "command": ["/lib/systemd/systemd"],
        "name": host.container,
        "hostname": host.name,
        "labels": engine.labels(),
        "cap_add": list(CAPABILITIES),
        "security_opt": ["seccomp=unconfined", "apparmor=unconfined"],
        "cgroupns": "host",
        "tmpfs": {"/run": "", "/run/lock": ""},
        "environment": {"container": "docker"},
        "stop_signal": "SIGRTMIN+3",
        "volumes": {
            "/sys/fs/cgroup": {"bind": "/sys/fs/cgroup", "mode": "rw"},
            host.volume: {"bind": "/var/lib/docker", "mode": "rw"},
        },
    }


def _wait_for_systemd(container: Container, name: str) -> None:
    limit = time.monotonic() + START_SECONDS
    answer = ""
    while answer not in _READY:
        if time.monotonic() > limit:
            raise LabError(
                f"systemd in the host {name} is {answer or 'silent'}",
                f"`python -m lab host down {name}`, then up again",
            )
        time.sleep(0.2)
        _, answer = _exec(container, "systemctl", "is-system-running")


def _exec(container: Container, *command: str) -> tuple[int, str]:
    code, output = container.exec_run(list(command))
    text = output if isinstance(output, bytes) else b"".join(output)
    return int(code or 0), text.decode(errors="replace").strip()


def _wait_for_ssh(address: str, name: str) -> None:
    limit = time.monotonic() + START_SECONDS
    while True:
        try:
            with socket.create_connection((address, 22), timeout=2) as connection:
                if connection.recv(4) == b"SSH-":
                    return
        except OSError:
            pass
        if time.monotonic() > limit:
            raise LabError(f"ssh does not answer in the host {name}", "see `docker logs` of it")
        time.sleep(0.2)


def _check_login(configuration: Path, name: str) -> None:
    if not read(["ssh", "-F", str(configuration), "-o", "BatchMode=yes", name, "id"]):
        raise LabError(f"ssh to the host {name} is refused", "see `docker logs` of it")


def _remove(lab: LabState, host: Host) -> None:
    client = engine.client(lab.engine.socket)
    with suppress(NotFound):
        client.containers.get(host.container).remove(force=True, v=True)
    with suppress(NotFound):
        client.volumes.get(host.volume).remove(force=True)
