"""Addresses and ports of a lab: chosen once, kept in its state."""

from __future__ import annotations

import ipaddress
import json
import socket
from collections.abc import Iterable
from typing import Any

from pydantic import BaseModel, ConfigDict

from lab.errors import LabError
from lab.shell import read

FIRST_PORT = 15000
LAST_PORT = 15999
# Those that each front of the registries has for itself.
FRONT_PORTS = ("images", "models", "blobs", "control", "trouble")


class Value(BaseModel):
    """A frozen value that knows all its keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Ports(Value):
    """Ports of the lab's servers. The first three are for users, the others for the lab itself."""

    images: int
    models: int
    blobs: int
    images_backend: int
    models_backend: int
    control: int
    trouble: int


class Addresses(Value):
    """`gateway` is the engine's bridge, `blobs` the lab's own address on the loopback device."""

    gateway: str
    blobs: str


def choose_ports() -> Ports:
    """Return free ports, each tried on every address of the machine."""
    names = list(Ports.model_fields)
    found: list[int] = []
    for port in range(FIRST_PORT, LAST_PORT + 1):
        if is_free(port):
            found.append(port)
        if len(found) == len(names):
            return Ports(**dict(zip(names, found, strict=True)))
    raise _no_ports()


def _no_ports() -> LabError:
    return LabError(f"no free ports from {FIRST_PORT} to {LAST_PORT}", "stop what uses them")


def choose_front_ports(ports: Ports, taken: Iterable[Ports]) -> Ports:
    """Return the ports of a further front of the same registries; `taken` are others'."""
    avoided = {port for one in taken for port in one.model_dump().values()}
    free = (p for p in range(FIRST_PORT, LAST_PORT + 1) if p not in avoided and is_free(p))
    chosen = dict(zip(FRONT_PORTS, free, strict=False))
    if len(chosen) < len(FRONT_PORTS):
        raise _no_ports()
    return ports.model_copy(update=chosen)


def free_port() -> int:
    """Return a loopback port that is free now, for a short use."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def is_free(port: int, address: str = "0.0.0.0") -> bool:
    """Tell whether nothing listens on a port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def machine_addresses() -> tuple[ipaddress.IPv4Interface, ...]:
    """Return the IPv4 addresses of this machine, with their networks."""
    return tuple(
        ipaddress.IPv4Interface(f"{entry['local']}/{entry['prefixlen']}")
        for device in _devices()
        for entry in device.get("addr_info", ())
    )


def address_of_device(device: str) -> ipaddress.IPv4Interface | None:
    """Return the first IPv4 address of a network device."""
    for entry in _devices(device):
        for info in entry.get("addr_info", ()):
            return ipaddress.IPv4Interface(f"{info['local']}/{info['prefixlen']}")
    return None


def choose_blob_address(gateway: ipaddress.IPv4Interface) -> str:
    """Return an address that nobody uses, near the top of the bridge's first 256."""
    taken = {entry.ip for entry in machine_addresses()}
    first = int(gateway.network.network_address)
    for last in range(250, 200, -1):
        candidate = ipaddress.IPv4Address(first + last)
        if candidate in gateway.network and candidate not in taken:
            return str(candidate)
    raise LabError(
        f"no free address in the bridge's network {gateway.network}", "run `lab down` in other labs"
    )


def _devices(device: str = "") -> list[dict[str, Any]]:
    command = ["ip", "-j", "-4", "addr", "show"]
    output = read([*command, "dev", device] if device else command)
    parsed: list[dict[str, Any]] = json.loads(output or "[]")
    return parsed
