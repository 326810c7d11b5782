"""The lab, started once, and installations on it."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lab import forwarding, fronts, pace, state
from lab.ctk import nvidia_ctk
from lab.errors import LabError
from lab.state import Engine29, LabState
from tests.stack.gpu_host import NAME as GPU_HOST
from tests.stack.gpu_host import GpuHost
from tests.stack.installation import SERVICES, TEST_PREFIX, Installation
from tests.stack.lab_command import lab_command, taken

Maker = Callable[..., Installation]
# These share one fresh host, and so a process; every other module may have one for itself.
ON_THE_GPU_HOST = ("test_cdi_host", "test_daemon_json", "test_gpu_host")
# Those that take longest begin first.
LONGEST = ("test_kills", "test_upgrade", "test_faults", "test_fleet")


def pytest_configure() -> None:
    """Choose the seed of the lab's delays, before xdist's processes begin: they inherit it.

    Each process has a front of the registries of its own, whose faults meet nobody else.
    """
    os.environ.setdefault(pace.SEED, str(pace.new_seed()))
    os.environ[fronts.FRONT] = os.environ.get("PYTEST_XDIST_WORKER", "tests")


def pytest_report_header() -> str:
    """Tell which delays these tests meet, so that a failure can be met again."""
    try:
        kept, seed = pace.wanted(os.environ)
    except LabError as error:
        raise pytest.UsageError(f"{error.cause}; remedy: {error.remedy}") from None
    return f"lab: {pace.told(kept, seed or 0)}"


# Before xdist reads the groups.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of a module together, and begin with those that take longest."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        if item.path.parent != here:
            return len(LONGEST) + 1
        stem = item.path.stem
        return LONGEST.index(stem) if stem in LONGEST else len(LONGEST)

    for item in items:
        if item.path.parent == here:
            shares = item.path.stem in ON_THE_GPU_HOST
            item.add_marker(pytest.mark.xdist_group("gpu host" if shares else item.path.stem))
    items.sort(key=place)


@pytest.fixture(scope="session")
def lab() -> Iterator[LabState]:
    """Bring the lab up, with a front that another test run leaves alone; both stay up."""
    with taken(f"front-{fronts.name()}"):
        lab_command("up")
        yield state.load()


@pytest.fixture(scope="session")
def engine29(lab: LabState) -> Engine29:
    """Bring the second engine up, of the 29 era, in a network namespace of its own."""
    lab_command("up", "--engine29")
    engine = state.load().engine29
    assert engine is not None
    return engine


@pytest.fixture(scope="session")
def gpu_host(lab: LabState, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GpuHost]:
    """A fresh host with Docker, on which daemon.json and a GPU that is not there are tried."""
    lab_command("host", "up", GPU_HOST)
    found = state.load().host(GPU_HOST)
    assert found is not None
    nvidia_ctk()
    prepared = GpuHost(found, tmp_path_factory.mktemp("gpu-host"))
    prepared.install()
    yield prepared
    lab_command("host", "down", GPU_HOST)


def free_ports(count: int) -> int:
    """Return the first of some ports in a row on which nobody listens.

    Another process of this run, and another test run, begin to look elsewhere.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    begin = worker % 10 * 500 + os.getpid() % 50 * 10
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
            docker_socket=str(forwarding.second_socket_path()),
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
