"""Choices of the second engine that need no engine."""

from __future__ import annotations

import pytest

from lab import engine29
from lab.errors import LabError
from lab.state import Engine29, LabState


def test_its_networks_never_hide_the_first_engines_gateway() -> None:
    assert engine29.free_of(engine29.BRIDGES, "172.17.0.1") == "172.29.0.1/24"
    assert engine29.free_of(engine29.BRIDGES, "172.29.0.1") == "172.30.0.1/24"


def test_a_client_is_put_into_the_namespace(lab: LabState) -> None:
    second = Engine29(
        namespace="ns", device="d", address="10.0.0.1", inner_address="10.0.0.2", socket="/s"
    )
    words = engine29.command_inside(lab.model_copy(update={"engine29": second}))
    assert words[-6:] == ["ip", "netns", "exec", "ns", "env", "DOCKER_HOST=unix:///s"]


def test_without_it_the_remedy_is_named(lab: LabState) -> None:
    with pytest.raises(LabError, match="--engine29"):
        engine29.command_inside(lab)
