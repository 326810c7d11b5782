"""Ports: the kernel's tables, whose process it is, and what is said."""

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.declared.layers import Layer, defaults_layer, merge
from tasks.declared.stack import Stack, declare
from tasks.host.ports import (
    Listener,
    PortHolder,
    address_text,
    container_of,
    listeners,
    port_faults,
    port_holders,
    taken,
    unit_of,
)


def stack(**values: object) -> Stack:
    return declare(merge([defaults_layer(), Layer("test", values)]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0100007F:2CAA", ("127.0.0.1", 11434)),
        ("00000000:07E8", ("0.0.0.0", 2024)),
        ("00000000000000000000000001000000:2CAB", ("::1", 11435)),
        ("0000000000000000FFFF00000100007F:2CAC", ("127.0.0.1", 11436)),
        ("nonsense:2CAC", None),
        ("0100:2CAC", None),
        ("0100007F", None),
    ],
)
def test_address(text: str, expected: tuple[str, int] | None) -> None:
    assert address_text(text) == expected


@given(st.ip_addresses(), st.integers(0, 65535))
def test_every_address_survives(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, port: int
) -> None:
    packed = address.packed
    words = struct.unpack(f">{len(packed) // 4}I", packed)
    text = "".join(struct.pack("<I", word).hex().upper() for word in words)
    mapped = getattr(address, "ipv4_mapped", None)
    assert address_text(f"{text}:{port:04X}") == (str(mapped or address), port)


def test_conflicts_look_at_the_address() -> None:
    assert Listener("0.0.0.0", 1).holds("127.0.0.1", 1)
    assert Listener("::", 1).holds("127.0.0.1", 1)
    assert Listener("10.0.0.5", 1).holds("0.0.0.0", 1)
    assert not Listener("10.0.0.5", 1).holds("127.0.0.1", 1)
    assert not Listener("127.0.0.1", 2).holds("127.0.0.1", 1)


def test_only_active_services_with_a_foreign_port_are_taken() -> None:
    listening = listeners(["0100007F:2CAA 1", "0100007F:2CAB 2", "0100007F:2CAC 3"])
    declared = stack(models={"mistral": {"active": False}})
    assert [s.name for s in taken(declared, listening, ours=[11435])] == ["qwen"]


# The cgroup lines were recorded, version 1 and 2; the processes are invented.
HOLDERS = """\
##sockets
0100007F:2CAA 100
##812
inode=100
command=/usr/local/bin/ollama serve
cgroup=0::/system.slice/ollama.service
""".splitlines()


def test_an_ollama_service_is_named_with_pid_and_unit() -> None:
    holders = port_holders(HOLDERS)
    assert holders == (PortHolder(11434, 812, "/usr/local/bin/ollama serve", "ollama.service"),)
    (fault,) = port_faults(stack(), listeners(["0100007F:2CAA 100"]), holders)
    assert fault.service == "qwen"
    assert fault.what == "port 11434 is taken"
    assert "PID 812 (/usr/local/bin/ollama serve)" in fault.cause
    assert "of the unit ollama.service" in fault.cause
    assert "sudo systemctl disable --now ollama.service" in fault.remedy
    assert "[models.qwen], port" in fault.remedy


@pytest.mark.parametrize(
    ("holder", "way"),
    [
        (PortHolder(11434, 7, "ollama serve"), "kill 7"),
        (PortHolder(11434, 7, "x", "ollama.service", True), "systemctl --user disable --now"),
        (PortHolder(11434, 7, "x", container="ab" * 32), "docker stop abababababab"),
        (PortHolder(11434, 7, "/usr/bin/docker-proxy -proto tcp", "docker.service"),
         "docker ps --filter publish=11434"),
    ],
)  # fmt: skip
def test_ways_out(holder: PortHolder, way: str) -> None:
    (fault,) = port_faults(stack(), [Listener("::", 11434)], [holder])
    assert way in fault.remedy


@pytest.mark.parametrize(
    "holder",
    [
        # Without its proxies (userland-proxy: false) the engine listens itself.
        PortHolder(11434, 12441, "/usr/bin/dockerd -H fd://", "docker.service"),
        PortHolder(11434, 12441, "/usr/bin/dockerd --userland-proxy=false"),
        PortHolder(11434, 7, "/usr/libexec/docker/docker-proxy -proto tcp", "docker.service"),
        PortHolder(11434, 7, "/usr/bin/containerd-shim-runc-v2 -id x", "containerd.service"),
        PortHolder(11434, 1, "/sbin/init", "init.scope"),
        PortHolder(11434, 7, "sshd: ada@pts/0", "ssh.service"),
        PortHolder(11434, 7, "/snap/docker/1/bin/dockerd", "snap.docker.dockerd.service"),
    ],
)
def test_report_4_what_everything_stands_on_is_never_named_as_what_to_end(
    holder: PortHolder,
) -> None:
    (fault,) = port_faults(stack(), [Listener("::", 11434)], [holder])
    assert "kill" not in fault.remedy and "disable" not in fault.remedy
    assert "docker ps --filter publish=11434" in fault.remedy
    assert "port = …" in fault.remedy


def test_report_4_the_container_is_named_that_publishes_the_port() -> None:
    holder = PortHolder(11434, 12441, "/usr/bin/dockerd", "docker.service")
    published = {11434: "somebody-web"}
    (fault,) = port_faults(stack(), [Listener("::", 11434)], [holder], (), published)
    assert "the container somebody-web publishes it" in fault.cause
    assert "docker stop somebody-web" in fault.remedy


def test_a_holder_that_cannot_be_seen() -> None:
    (fault,) = port_faults(stack(), [Listener("::", 11434)], [])
    assert "sudo ss -ltnp" in fault.remedy


def test_units_and_containers() -> None:
    assert unit_of(["1:name=systemd:/system.slice/docker.service"]) == ("docker.service", False)
    own = "0::/user.slice/user-1000.slice/user@1000.service/app.slice/ollama.service"
    assert unit_of([own]) == ("ollama.service", True)
    assert unit_of(["0::/user.slice/user-1000.slice/session-3.scope"]) == ("", False)
    assert container_of([f"0::/system.slice/docker-{'a' * 64}.scope"]) == "a" * 64
    assert container_of(["0::/init.scope"]) == ""


@given(st.lists(st.text()))
def test_no_output_makes_the_parser_fail(lines: list[str]) -> None:
    port_holders(["##sockets", *lines, "##1", *lines])
