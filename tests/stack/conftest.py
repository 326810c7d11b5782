"""The lab, started once, and installations on it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import state
from lab.ctk import nvidia_ctk
from lab.state import Engine29, LabState
from tests.stack.gpu_host import NAME as GPU_HOST
from tests.stack.gpu_host import GpuHost
from tests.stack.installation import ROOT, SERVICES, TEST_PREFIX, Installation

Maker = Callable[..., Installation]


@pytest.fixture(scope="session")
def lab() -> LabState:
    """Bring the lab up; it stays up for the next run."""
    subprocess.run([sys.executable, "-m", "lab", "up"], cwd=ROOT, check=True)
    return state.load()


@pytest.fixture(scope="session")
def engine29(lab: LabState) -> Engine29:
    """Bring the second engine up, of the 29 era, in a network namespace of its own."""
    subprocess.run([sys.executable, "-m", "lab", "up", "--engine29"], cwd=ROOT, check=True)
    engine = state.load().engine29
    assert engine is not None
    return engine


@pytest.fixture(scope="session")
def gpu_host(lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GpuHost]:
    """A fresh host with Docker, on which daemon.json and a GPU that is not there are tried."""
    lab_host = [sys.executable, "-m", "lab", "host"]
    subprocess.run([*lab_host, "up", GPU_HOST], cwd=ROOT, check=True)
    found = state.load().host(GPU_HOST)
    assert found is not None
    nvidia_ctk()
    prepared = GpuHost(found, tmp_path_factory.mktemp("gpu-host"))
    prepared.install()
    yield prepared
    subprocess.run([*lab_host, "down", GPU_HOST], cwd=ROOT, check=True)


def free_ports(count: int) -> int:
    """Return the first of some ports in a row on which nobody listens.

    Another test run at the same time begins to look elsewhere.
    """
    begin = os.getpid() % 50 * 100
    for first in (23000 + (begin + step) % 5000 for step in range(0, 5000, 10)):
        if all(_is_free(first + offset) for offset in range(count)):
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


@pytest.fixture(scope="module")
def make(lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maker]:
    """Make installations that are taken down at the end of the module."""
    made: list[Installation] = []

    def maker(**options: Any) -> Installation:
        number = len(made)
        folder = tmp_path_factory.mktemp("stack with a space")
        prefix = f"{TEST_PREFIX}{os.getpid()}-{number}-"
        installation = Installation(
            folder=Path(folder), lab=lab, prefix=prefix, first_port=free_ports(8), **options
        )
        installation.take_down()
        made.append(installation)
        return installation

    yield maker
    for installation in made:
        installation.take_down()


@pytest.fixture(scope="module")
def stack(make: Maker) -> Installation:
    """An installation that is converged once and mended by each test that breaks it."""
    installation = make()
    output = installation.converge()
    assert output.status == 0, output.text
    return installation


@pytest.fixture(scope="module", params=["found", "29-era"])
def on_engine(request: pytest.FixtureRequest, make: Maker, lab: LabState) -> Installation:
    """The same on both engines; the second one lives in a network namespace of its own."""
    if request.param == "found":
        installation = make()
    else:
        second: Engine29 = request.getfixturevalue("engine29")
        installation = make(
            namespace=second.namespace,
            socket=second.socket,
            settings={
                "image_mirror": f"{lab.addresses.gateway}:{lab.ports.images}",
                "image_mirror_insecure": True,
            },
        )
    output = installation.converge()
    assert output.status == 0, output.text
    return installation


def others(installation: Installation, service: str) -> dict[str, tuple[str, str]]:
    """Return the containers of the services that a test does not touch."""
    seen = installation.containers()
    names = [installation.name(name) for name in SERVICES if name != service]
    return {name: seen[name] for name in names}
