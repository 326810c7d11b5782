"""The registries that the second engine uses without TLS: those of every front, in its own file."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from lab import engine, processes, state
from lab.paths import state_folder
from lab.processes import Program
from lab.state import Engine29

START_SECONDS = 15


def file() -> Path:
    """Return the file of the engine's settings."""
    return state_folder() / "engine29" / "daemon.json"


def write() -> None:
    """Write them, for an engine that is to start."""
    file().write_text(_render())


def are_in_a_file(pid: int | None) -> bool:
    """Tell whether the engine that runs reads the file: one of older code does not."""
    return pid is not None and str(file()) in " ".join(processes.command_line(pid))


def tell(second: Engine29, program: Program) -> None:
    """Let the engine that runs use the registries of a front that is new."""
    pid = processes.pid_of(program)
    if pid is None or _render() == file().read_text():
        return
    write()
    processes.send(pid, signal.SIGHUP)

    def knows_them() -> bool:
        known = engine.client(second.socket).info()["RegistryConfig"]["IndexConfigs"]
        return {*registries()} <= {*known}

    processes.wait_until(knows_them, program, START_SECONDS)


def registries() -> list[str]:
    """Return both registries as the second engine sees them, of every front."""
    gateway = state.load().addresses.gateway
    return sorted(f"{gateway}:{port}" for p in state.all_ports() for port in (p.images, p.models))


def _render() -> str:
    return json.dumps({"insecure-registries": registries()}, indent=2) + "\n"
