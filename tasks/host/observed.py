"""What one look at a host shows: user, distribution, Docker's place in it, disk, ports."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tasks.host.ports import Listener, listeners
from tasks.shell.output import number, sections, values

DEFAULT_SOCKETS = ("/var/run/docker.sock", "/run/docker.sock")
Origin = Literal["docker-ce", "docker.io", "snap", "podman-docker", "other", "none"]
CURL_REFUSED = 7


@dataclass(frozen=True)
class Distribution:
    """What /etc/os-release tells. `like` holds ID_LIKE's words."""

    id: str = ""
    version: str = ""
    codename: str = ""
    pretty_name: str = ""
    like: tuple[str, ...] = ()


@dataclass(frozen=True)
class Unit:
    """The systemd unit docker.service, in systemd's words; empty where systemd is not running."""

    load: str = ""
    active: str = ""
    sub: str = ""

    @property
    def exists(self) -> bool:
        """Tell whether systemd knows the unit."""
        return self.load in ("loaded", "masked", "bad-setting", "error")


@dataclass(frozen=True)
class ObservedHost:
    """One host. Paths are empty where a program is missing; sizes are bytes, None if unknown.

    `sudo_status` is the exit status of `sudo -n`, None where it was not tried (root, or no sudo).
    `sudo_user` is who became root by it, "" where nobody did. `answers_user` and `answers_root`
    tell whether the engine answered on the declared socket. `daemons` are the PIDs of every dockerd
    in the host's own network, `proxies` the names of the variables that set one for the host's
    programs (their values may be secret).
    """

    uid: int = -1
    user: str = ""
    sudo_user: str = ""
    groups: tuple[str, ...] = ()
    hostname: str = ""
    architecture: str = ""
    distribution: Distribution = Distribution()
    has_systemd: bool = False
    unit: Unit = Unit()
    curl: str = ""
    docker: str = ""
    dockerd: str = ""
    apt: str = ""
    sudo: str = ""
    packages: tuple[tuple[str, str], ...] = ()
    has_snap_docker: bool = False
    proxies: tuple[str, ...] = ()
    docker_group: tuple[str, ...] = ()
    sudo_status: int | None = None
    sudo_said: str = ""
    socket: str = ""
    has_socket: bool = False
    can_write_socket: bool = False
    answers_user: bool = False
    answers_root: bool = False
    is_refused: bool = False
    daemons: tuple[int, ...] = ()
    data_root: str = ""
    disk_free: int | None = None
    disk_size: int | None = None
    listening: tuple[Listener, ...] = ()

    @property
    def is_known(self) -> bool:
        """Tell whether the look succeeded at all."""
        return self.uid >= 0

    @property
    def is_root(self) -> bool:
        """Tell whether the user is root."""
        return self.uid == 0

    @property
    def can_sudo(self) -> bool:
        """Tell whether sudo works here and now without a password."""
        return self.sudo_status == 0

    @property
    def can_be_root(self) -> bool:
        """Tell whether steps that need root can be done."""
        return self.is_root or self.can_sudo

    @property
    def answers(self) -> bool:
        """Tell whether the engine answers to what this run uses: root, sudo or the user."""
        return self.answers_root if self.can_sudo else self.answers_user

    @property
    def is_default_socket(self) -> bool:
        """Tell whether the declared socket is the one that packages set up."""
        return self.socket in DEFAULT_SOCKETS

    @property
    def origin(self) -> Origin:
        """Where the Docker on this host comes from."""
        names = [name for name, _ in self.packages]
        if "docker-ce" in names:
            return "docker-ce"
        if "docker.io" in names:
            return "docker.io"
        if self.has_snap_docker:
            return "snap"
        if "podman-docker" in names and not self.dockerd:
            return "podman-docker"
        return "other" if self.dockerd else "none"

    def version_of(self, package: str) -> str:
        """Return the version of an installed package, "" where it is not installed."""
        return dict(self.packages).get(package, "")

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> ObservedHost:
        """Parse what the look printed; what is missing keeps its default."""
        parts = sections(lines)
        host, sudo = values(parts.get("host", ())), values(parts.get("sudo", ()))
        engine, disk = values(parts.get("engine", ())), values(parts.get("disk", ()))
        unit = values(parts.get("unit", ()))
        block = number(disk.get("block"))
        return cls(
            uid=number(host.get("uid"), -1),
            user=host.get("user", ""),
            sudo_user=host.get("sudo_user", ""),
            groups=tuple(host.get("groups", "").split()),
            hostname=host.get("hostname", ""),
            architecture=host.get("architecture", ""),
            distribution=distribution(parts.get("os", ())),
            has_systemd=host.get("systemd") == "yes",
            unit=Unit(*(unit.get(key, "") for key in ("LoadState", "ActiveState", "SubState"))),
            curl=host.get("path.curl", ""),
            docker=host.get("path.docker", ""),
            dockerd=host.get("path.dockerd", ""),
            apt=host.get("path.apt-get", ""),
            sudo=host.get("path.sudo", ""),
            packages=installed(parts.get("packages", ())),
            has_snap_docker=host.get("snap") == "yes",
            proxies=tuple(sorted({n.lower() for n in host.get("proxies", "").split()})),
            docker_group=tuple(name for name in host.get("docker_group", "").split(",") if name),
            sudo_status=number(sudo["status"], 1) if "status" in sudo else None,
            sudo_said=sudo.get("said", ""),
            socket=engine.get("path", ""),
            has_socket=engine.get("socket") == "yes",
            can_write_socket=engine.get("writable") == "yes",
            answers_user=engine.get("user", "").startswith("200"),
            answers_root=engine.get("root", "").startswith("200"),
            is_refused=_exit_of(engine) == CURL_REFUSED,
            daemons=tuple(number(pid) for pid in engine.get("daemons", "").split()),
            data_root=disk.get("path", ""),
            disk_free=number(disk["free"]) * block if block and "free" in disk else None,
            disk_size=number(disk["size"]) * block if block and "size" in disk else None,
            listening=listeners(parts.get("listening", ())),
        )


def _exit_of(engine: dict[str, str]) -> int:
    """Return curl's exit status of the most able ping: "STATUS EXIT"."""
    words = (engine.get("root") or engine.get("user") or "").split()
    return number(words[-1]) if words else 0


def distribution(lines: Iterable[str]) -> Distribution:
    """Parse os-release(5)."""
    found: dict[str, str] = {}
    for key, value in values(lines).items():
        try:
            found[key] = " ".join(shlex.split(value))
        except ValueError:
            found[key] = value
    return Distribution(
        id=found.get("ID", "").lower(),
        version=found.get("VERSION_ID", ""),
        codename=found.get("VERSION_CODENAME") or found.get("UBUNTU_CODENAME", ""),
        pretty_name=found.get("PRETTY_NAME") or found.get("NAME", ""),
        like=tuple(found.get("ID_LIKE", "").lower().split()),
    )


def installed(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Parse "ii  NAME VERSION" of dpkg-query: what is installed, not what is only configured."""
    rows = (line.split() for line in lines)
    return tuple((row[1], row[2]) for row in rows if len(row) == 3 and row[0].startswith("ii"))
