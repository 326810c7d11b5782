"""Every test has a state folder and a cache of its own: none sees a lab that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.nginx import Layout
from lab.settings import Addresses, Ports
from lab.state import Engine, LabState

PORTS = Ports(
    images=15000,
    models=15001,
    blobs=15002,
    images_backend=15003,
    models_backend=15004,
    control=15005,
    trouble=15006,
)
ADDRESSES = Addresses(gateway="172.17.0.1", blobs="172.17.0.250")


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point the lab's folders into the test's own."""
    monkeypatch.setenv("LAB_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("LAB_FRONT", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def lab() -> LabState:
    """A lab's state, nothing of it started."""
    return LabState(engine=Engine(socket="/none.sock"), ports=PORTS, addresses=ADDRESSES)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """What nginx's configuration names."""
    return Layout(tmp_path / "state", PORTS, ADDRESSES)
