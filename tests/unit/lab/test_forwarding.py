"""What the forwarder carries, its start and its end."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import forwarding, processes, settings
from lab.errors import LabError
from lab.nginx import INNER
from lab.settings import Addresses
from lab.state import ActiveFault, Engine29, LabState

SECOND = Engine29(
    namespace="n", device="d", address="10.0.0.1", inner_address="10.0.0.2", socket="/s29.sock"
)


def listening(lab: LabState) -> dict[str, str]:
    return {route.listen: route.to for route in forwarding.routes(lab)}


def test_it_listens_where_the_product_looks(lab: LabState) -> None:
    assert listening(lab) == {
        "127.0.0.1:15000": f"{INNER}:15000",
        "172.17.0.1:15000": f"{INNER}:15000",
        "172.17.0.1:15001": f"{INNER}:15001",
        "172.17.0.250:15002": f"{INNER}:15002",
        str(forwarding.socket_path()): "/none.sock",
    }


def test_the_second_engine_has_a_socket_of_its_own(lab: LabState) -> None:
    both = listening(lab.model_copy(update={"engine29": SECOND}))
    assert both[str(forwarding.second_socket_path())] == "/s29.sock"


@pytest.mark.parametrize(("name", "port"), [("images", 15000), ("models", 15001)])
def test_a_registry_that_is_down_refuses_connections(lab: LabState, name: str, port: int) -> None:
    faulty = lab.model_copy(update={"fault": ActiveFault(name=f"{name}-down")})
    gone = listening(lab).keys() - listening(faulty).keys()
    assert gone
    assert {place.rpartition(":")[2] for place in gone} == {str(port)}
    stalled = lab.model_copy(update={"fault": ActiveFault(name=f"{name}-stalled")})
    assert listening(stalled) == listening(lab)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> Iterator[LabState]:
    """A lab of loopback addresses whose forwarder runs."""
    with tempfile.TemporaryDirectory(prefix="lab") as folder:
        monkeypatch.setenv("LAB_STATE", folder)
        made = LabState.model_validate(
            {
                "engine": {"socket": f"{folder}/none.sock"},
                "ports": settings.choose_ports(),
                "addresses": Addresses(gateway="127.0.0.3", blobs="127.0.0.4"),
                "seed": 7,
            }
        )
        forwarding.ensure(made)
        yield made
        processes.stop(forwarding.program())


def answers(address: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((address, port)) == 0


def test_it_runs_takes_another_pace_without_a_new_start_and_ends(running: LabState) -> None:
    program, port = forwarding.program(), running.ports.models
    pid = processes.pid_of(program)
    assert pid is not None
    assert answers("127.0.0.3", port)
    forwarding.ensure(running.model_copy(update={"pace": "quick"}))
    forwarding.ensure(running, begins_anew=True)
    assert processes.pid_of(program) == pid
    forwarding.ensure(running.model_copy(update={"fault": ActiveFault(name="models-down")}))
    assert not answers("127.0.0.3", port)
    assert answers("127.0.0.3", running.ports.images)
    assert processes.stop(program)
    assert not answers("127.0.0.3", running.ports.images)
    assert not forwarding.socket_path().exists()


def test_what_is_in_force_already_is_not_taken_again(running: LabState) -> None:
    file = Path(forwarding.program().mark)
    before = file.stat().st_mtime_ns
    forwarding.ensure(running)
    assert file.stat().st_mtime_ns == before


def test_a_forwarder_of_other_code_is_exchanged(running: LabState) -> None:
    pid = processes.pid_of(forwarding.program())
    file = Path(forwarding.program().mark)
    told = json.loads(file.read_text())
    file.write_text(json.dumps({**told, "code": "other"}))
    forwarding.ensure(running)
    assert processes.pid_of(forwarding.program()) not in (None, pid)


def test_a_port_that_is_taken_is_told(running: LabState) -> None:
    processes.stop(forwarding.program())
    holder = socket.create_server(("127.0.0.4", running.ports.blobs))
    with holder, pytest.raises(LabError, match="address already in use"):
        forwarding.ensure(running)


def test_a_path_too_long_for_a_socket_is_told(
    lab: LabState, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAB_STATE", str(tmp_path / ("x" * 90)))
    with pytest.raises(LabError, match="too long"):
        forwarding.ensure(lab)


def test_a_pace_that_there_is_not_is_refused_before_anything_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LAB_PACE", "fast")
    done = subprocess.run(
        [sys.executable, "-m", "lab", "up"], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert (
        done.stderr == "lab: LAB_PACE is 'fast'\n  remedy: set it to slow or quick, or unset it\n"
    )
    assert not (tmp_path / "state").exists()
