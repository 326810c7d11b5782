"""Who listens on which TCP port, and what to say to a person whose port is taken."""

from __future__ import annotations

import ipaddress
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tasks.declared.stack import Service, Stack
from tasks.host import messages
from tasks.shell.output import sections, values
from tasks.words.digests import short
from tasks.words.failures import Failure
from tasks.words.messages import Text

ANY = ("0.0.0.0", "::")
# Programs and units that carry others: engines, init, and the way to the machine.
BASE = frozenset(
    {
        *("docker", "dockerd", "docker-proxy", "rootlesskit", "containerd", "containerd-shim"),
        *("containerd-shim-runc-v2", "podman", "conmon", "crun", "runc", "slirp4netns", "pasta"),
        *("systemd", "init", "dbus-daemon", "dbus", "ssh", "sshd", "sshd-session", "kubelet"),
        *("k3s", "k3s-server", "snapd", "NetworkManager", "libvirtd"),
    }
)
_UNIT = re.compile(r"/([^/]+\.service)(?:/|$)")
_USER_UNIT = re.compile(r"/user@\d+\.service/(?:.*/)?([^/]+\.service)$")


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket. `inode` is the socket's, as /proc/PID/fd shows it."""

    address: str
    port: int
    inode: int = 0

    def holds(self, bind: str, port: int) -> bool:
        """Tell whether nobody else can listen on this address and port."""
        if port != self.port:
            return False
        # "::" takes IPv4 as well, unless its owner asked for IPv6 only, which /proc does not show.
        return self.address == bind or self.address in ANY or bind in ANY


@dataclass(frozen=True)
class PortHolder:
    """The process that listens on a port. `unit` is its systemd unit, "" where it has none."""

    port: int
    pid: int
    command: str = ""
    unit: str = ""
    is_user_unit: bool = False
    container: str = ""

    @property
    def holds_up_others(self) -> bool:
        """Tell whether more than this port would go with the process or its unit: then neither is
        ever named as what to end."""
        program = self.command.split(" ")[0].rpartition("/")[2].rstrip(":")
        is_base = self.unit.partition(".")[0].partition("@")[0] in BASE
        return self.pid <= 1 or program in BASE or (is_base and not self.is_user_unit)


def address_text(text: str) -> tuple[str, int] | None:
    """Turn "0100007F:2CAA" of /proc/net/tcp{,6} into ("127.0.0.1", 11434); None if it is neither.

    The kernel writes the address in 32-bit words in the order of its own bytes (little-endian on
    every machine that this project runs on), the port in plain hexadecimal.
    """
    host, _, port = text.partition(":")
    try:
        raw = bytes.fromhex(host)
        number = int(port, 16)
    except ValueError:
        return None
    if len(raw) not in (4, 16):
        return None
    words = struct.unpack(f"<{len(raw) // 4}I", raw)
    packed = struct.pack(f">{len(words)}I", *words)
    if len(packed) == 4:
        return str(ipaddress.IPv4Address(packed)), number
    address = ipaddress.IPv6Address(packed)
    return str(address.ipv4_mapped or address), number


def listeners(lines: Iterable[str]) -> tuple[Listener, ...]:
    """Parse lines "ADDRESS:PORT INODE" as the script takes them from /proc/net/tcp{,6}."""
    found = []
    for line in lines:
        words = line.split()
        place = address_text(words[0]) if len(words) == 2 else None
        if place is not None and words[1].isdecimal():
            found.append(Listener(*place, int(words[1])))
    return tuple(sorted(set(found), key=lambda one: (one.port, one.address, one.inode)))


def taken(
    stack: Stack, listening: Iterable[Listener], ours: Iterable[int] = ()
) -> tuple[Service, ...]:
    """Return the active services whose port somebody else holds.

    `ours` are the ports that our own running containers publish.
    """
    known, held = set(ours), tuple(listening)
    return tuple(
        s
        for s in stack.selected
        if s.active and s.port not in known and any(one.holds(s.bind, s.port) for one in held)
    )


def port_faults(
    stack: Stack,
    listening: Iterable[Listener],
    holders: Iterable[PortHolder],
    ours: Iterable[int] = (),
    published: Mapping[int, str] = MappingProxyType({}),
) -> list[Failure]:
    """Name who holds the port of a declared service, and what a person can do. Nobody is killed.

    `published` are the names of running containers, not ours, by the port that they publish: the
    engine knows that better than any command line.
    """
    by_port: dict[int, PortHolder] = {}
    for holder in holders:
        by_port.setdefault(holder.port, holder)
    return [
        _fault(s, by_port.get(s.port), published.get(s.port, ""))
        for s in taken(stack, listening, ours)
    ]


def _fault(service: Service, holder: PortHolder | None, container: str) -> Failure:
    what = f"port {service.port} is taken"
    cause, way_out = _holder(service.port, holder, container)
    remedy = messages.OR_OTHER_PORT(way_out=way_out, service=service.name)
    return Failure(what, cause, remedy, service.name)


def _holder(port: int, holder: PortHolder | None, container: str) -> tuple[Text, Text]:
    """Say who holds a port, and how it becomes free."""
    if container:
        cause = messages.PORT_OF_CONTAINER(container=container)
        return cause, messages.STOP_CONTAINER(container=container)
    if holder is None:
        return messages.PORT_OF_NOBODY(), messages.SEE_HOLDER(port=port)
    command = holder.command or messages.NO_COMMAND_LINE()
    cause = messages.PORT_OF_PROCESS(pid=holder.pid, command=command)
    if holder.container:
        cause = messages.PORT_IN_CONTAINER(process=cause, container=short(holder.container))
    elif holder.unit:
        cause = messages.PORT_OF_UNIT(process=cause, unit=holder.unit)
    return cause, _way_out(holder)


def _way_out(holder: PortHolder) -> Text:
    if holder.holds_up_others:
        # Docker itself listens for a container, init for a unit, sshd for who is logged in.
        return messages.SEE_FOR_WHOM(port=holder.port)
    if holder.container:
        return messages.STOP_CONTAINER(container=short(holder.container))
    if holder.unit and holder.is_user_unit:
        return messages.STOP_USER_UNIT(unit=holder.unit)
    if holder.unit:
        return messages.STOP_UNIT(unit=holder.unit)
    return messages.END_PROCESS(pid=holder.pid)


def unit_of(cgroup: Iterable[str]) -> tuple[str, bool]:
    """Return the systemd unit in the lines of /proc/PID/cgroup, and whether it is a user's own."""
    for line in cgroup:
        path = line.split(":", 2)[-1].strip()
        if match := _USER_UNIT.search(path):
            return match[1], True
        if "/user.slice/" in f"{path}/":
            continue
        if match := _UNIT.search(path):
            return match[1], False
    return "", False


def container_of(cgroup: Iterable[str]) -> str:
    """Return the ID of the container in the lines of /proc/PID/cgroup, "" where there is none."""
    for line in cgroup:
        if match := re.search(r"docker[-/]([0-9a-f]{64})", line):
            return match[1]
    return ""


def port_holders(lines: Iterable[str]) -> tuple[PortHolder, ...]:
    """Parse what the look printed: sockets, then "##PID" with what it is."""
    parts = sections(lines)
    ports = {one.inode: one.port for one in listeners(parts.get("sockets", ()))}
    found = set()
    for name, body in parts.items():
        if not name.isdecimal():
            continue
        groups = [line.removeprefix("cgroup=") for line in body if line.startswith("cgroup=")]
        unit, is_user_unit = unit_of(groups)
        command = values(line for line in body if line.startswith("command=")).get("command", "")
        for line in body:
            inode = line.removeprefix("inode=")
            if inode.isdecimal() and int(inode) in ports:
                found.add(
                    PortHolder(
                        ports[int(inode)],
                        int(name),
                        command,
                        unit,
                        is_user_unit,
                        container_of(groups),
                    )
                )
    return tuple(sorted(found, key=lambda one: (one.port, one.pid)))
