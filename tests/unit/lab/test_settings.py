"""Ports and addresses that a lab chooses."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from lab import settings
from lab.errors import LabError

GATEWAY = ipaddress.IPv4Interface("172.17.0.1/16")


def test_a_port_that_is_taken_is_not_free() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        assert not settings.is_free(other.getsockname()[1])
    assert settings.is_free(settings.free_port())


def test_chosen_ports_differ() -> None:
    ports = settings.choose_ports().model_dump().values()
    assert len(set(ports)) == len(settings.Ports.model_fields)


def test_the_blob_address_is_one_that_nobody_has(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = tuple(ipaddress.IPv4Interface(f"172.17.0.{n}/32") for n in (250, 249))
    monkeypatch.setattr(settings, "machine_addresses", lambda: (GATEWAY, *taken))
    assert settings.choose_blob_address(GATEWAY) == "172.17.0.248"


def test_a_bridge_without_room_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "machine_addresses", lambda: ())
    with pytest.raises(LabError, match="no free address"):
        settings.choose_blob_address(ipaddress.IPv4Interface("10.0.0.1/30"))
