"""The lab's forwarder: what it carries, its start, and how it takes another pace."""

from __future__ import annotations

import hashlib
import json
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from lab import forwarder, fronts, pace, processes
from lab.errors import LabError
from lab.forwarder import Route
from lab.nginx import INNER
from lab.paths import made_state_folder, state_folder
from lab.processes import Program
from lab.say import step
from lab.state import LabState
from lab.trouble import DOWN

START_SECONDS = 15
# A unix socket's path has at most 107 bytes.
LONGEST_PATH = 107
_ROOT = Path(__file__).resolve().parent.parent
_CODE = (forwarder.__file__, pace.__file__)


def socket_path() -> Path:
    """Return the socket at which the engine answers at the lab's pace."""
    return state_folder() / f"{fronts.called('docker')}.sock"


def second_socket_path() -> Path:
    """Return the same of the second engine."""
    return state_folder() / f"{fronts.called('docker29')}.sock"


def program(front: str | None = None) -> Program:
    """Return the forwarder as a program."""
    words = ("-m", forwarder.__name__, str(_file(front)), str(_ready(front)))
    name = fronts.called("forwarder", front)
    return Program(name, (sys.executable, *words), str(_file(front)))


def routes(lab: LabState) -> Iterator[Route]:
    """Yield what is carried; a registry that a fault has taken down refuses connections."""
    ports, gateway = lab.ports, lab.addresses.gateway
    for name, host, port in (
        ("images", "127.0.0.1", ports.images),
        ("images", gateway, ports.images),
        ("models", gateway, ports.models),
        ("blobs", lab.addresses.blobs, ports.blobs),
    ):
        if lab.fault is None or lab.fault.name != f"{name}-{DOWN}":
            yield Route(f"{name} {host}", "registry", f"{host}:{port}", f"{INNER}:{port}")
    yield Route("engine", "engine", str(socket_path()), lab.engine.socket)
    if lab.engine29 is not None:
        yield Route("engine29", "engine", str(second_socket_path()), lab.engine29.socket)


def render(lab: LabState) -> str:
    """Return the forwarder's file."""
    content = {
        "code": _code(),
        "pace": lab.pace,
        "seed": lab.seed,
        "routes": [asdict(route) for route in routes(lab)],
    }
    return json.dumps(content, indent=2) + "\n"


def ensure(lab: LabState, *, begins_anew: bool = False) -> None:
    """Start the forwarder where it does not run, or let it take what has changed.

    `begins_anew`: the delays begin as after a start, so that the same seed gives them again.
    """
    text, server = render(lab), program()
    pid = processes.pid_of(server)
    if pid is None or _code() not in _told():
        processes.stop(server)
        with step("Start the forwarder that keeps the lab's pace"):
            _start(text, server)
    elif begins_anew or text != _told() or not _ready().exists():
        _ready().unlink(missing_ok=True)
        _file().write_text(text)
        processes.send(pid, signal.SIGHUP)
        processes.wait_until(_ready().exists, server, START_SECONDS)


def _start(text: str, server: Program) -> None:
    if len(str(second_socket_path())) > LONGEST_PATH:
        raise LabError(
            f"the path {state_folder()} is too long for a socket in it",
            "give the lab a shorter LAB_STATE",
        )
    made_state_folder("run")
    _ready().unlink(missing_ok=True)
    _file().write_text(text)
    processes.start(server, {"PYTHONPATH": str(_ROOT)})
    processes.wait_until(_ready().exists, server, START_SECONDS)


def _told() -> str:
    return _file().read_text() if _file().exists() else ""


def _code() -> str:
    """Tell one version of the forwarder's code from another: an old one must not go on."""
    content = b"".join(Path(str(name)).read_bytes() for name in _CODE)
    return hashlib.sha256(content).hexdigest()[:16]


def _file(front: str | None = None) -> Path:
    return state_folder() / "run" / f"{fronts.called('forwarder', front)}.json"


def _ready(front: str | None = None) -> Path:
    return state_folder() / "run" / f"{fronts.called('forwarder', front)}.ready"
