"""The lab's servers: two image registries (one holds models) and what stands in front of them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from lab import forwarding, fronts, processes, state
from lab.errors import LabError
from lab.http import request
from lab.nginx import Layout, Trouble, render
from lab.paths import made_state_folder, state_folder
from lab.processes import Program
from lab.registry import Registry
from lab.say import step
from lab.settings import machine_addresses
from lab.shell import as_root, read, run
from lab.state import LabState
from lab.tools import docker_registry, nginx

START_SECONDS = 15
LOOPBACK = "lo"


def layout(lab: LabState) -> Layout:
    """Return what nginx's configuration names."""
    is_root = os.geteuid() == 0
    return Layout(state_folder(), lab.ports, lab.addresses, is_root, lab.moves, fronts.name())


def image_registry(lab: LabState) -> Registry:
    """Return the image registry itself, behind nginx and its faults."""
    return Registry(f"127.0.0.1:{lab.ports.images_backend}")


def model_registry(lab: LabState) -> Registry:
    """Return the model registry itself, behind nginx and its faults."""
    return Registry(f"127.0.0.1:{lab.ports.models_backend}")


def storage(kind: str) -> Path:
    """Return the storage folder of the registry of "images" or "models"."""
    return state_folder() / "registry" / kind


def programs() -> tuple[Program, ...]:
    """Return the servers in the order in which they start, of this process's front."""
    return (*registry_programs(), *front_programs())


def registry_programs() -> tuple[Program, ...]:
    """Return both registries."""
    return (program("images"), program("models"))


def front_programs(front: str | None = None) -> tuple[Program, ...]:
    """Return what stands in front of the registries, for this process or under a name."""
    return (nginx_program(front), forwarding.program(front))


def program(kind: str) -> Program:
    """Return the registry of "images" or "models" as a program."""
    path = str(_registry_file(kind))
    return Program(f"registry-{kind}", (str(docker_registry()), "serve", path), path)


def nginx_program(front: str | None = None) -> Program:
    """Return the nginx in front of the registries."""
    path = str(_nginx_file(front))
    return Program(fronts.called("nginx", front), (str(nginx()), "-c", path), path)


def ensure_address(lab: LabState) -> None:
    """Put the lab's own address on the loopback device."""
    if has_address(lab):
        return
    with step(f"Add the address {lab.addresses.blobs} to the loopback device"):
        run(as_root(["ip", "addr", "add", f"{lab.addresses.blobs}/32", "dev", LOOPBACK]))


def remove_address(lab: LabState) -> None:
    """Take the lab's own address off the loopback device."""
    if has_address(lab):
        run(as_root(["ip", "addr", "del", f"{lab.addresses.blobs}/32", "dev", LOOPBACK]))


def has_address(lab: LabState) -> bool:
    """Tell whether the lab's own address is on the loopback device, as we put it there."""
    shown = read(["ip", "-4", "-o", "addr", "show", "dev", LOOPBACK])
    return f" {lab.addresses.blobs}/32 " in shown


def ensure_registries(lab: LabState) -> None:
    """Start both registries where they do not run."""
    for kind, registry in (("images", image_registry(lab)), ("models", model_registry(lab))):
        server = program(kind)
        if processes.pid_of(server) and registry.is_up():
            continue
        processes.stop(server)
        with step(f"Start the registry of {kind}"):
            made_state_folder("run")
            storage(kind).mkdir(parents=True, exist_ok=True)
            _registry_file(kind).write_text(_registry_config(lab, kind))
            processes.start(server)
            processes.wait_until(registry.is_up, server, START_SECONDS)


def ensure_nginx(lab: LabState, trouble: Trouble) -> None:
    """Start nginx where it does not run, or let it take a configuration that has changed."""
    server = nginx_program()
    if _generation(lab) == lab.generation and processes.pid_of(server):
        if _nginx_file().read_text() != render(layout(lab), trouble, lab.generation):
            reload_nginx(trouble)
        return
    processes.stop(server)
    if lab.addresses.gateway not in {str(entry.ip) for entry in machine_addresses()}:
        raise LabError(
            f"the engine's bridge no longer has the address {lab.addresses.gateway}",
            "run `lab down`, then `lab up`: the lab then takes the new one",
        )
    with step("Start nginx in front of the registries"):
        lab = state.update(generation=lab.generation + 1)
        _nginx_file().write_text(render(layout(lab), trouble, lab.generation))
        processes.start(server)
        processes.wait_until(lambda: _generation(lab) == lab.generation, server, START_SECONDS)


def reload_nginx(trouble: Trouble) -> None:
    """Put another configuration in force, and wait until it is; running answers are ended."""
    lab = state.update(generation=state.load().generation + 1)
    pid = processes.pid_of(nginx_program())
    if pid is None:
        raise LabError("the lab's nginx does not run", "run `python -m lab up`")
    old_workers = _workers(pid)
    _nginx_file().write_text(render(layout(lab), trouble, lab.generation))
    run([str(nginx()), "-t", "-q", "-c", str(_nginx_file())], timeout=10)
    processes.send(pid, signal.SIGHUP)
    limit = time.monotonic() + START_SECONDS
    while _generation(lab) != lab.generation or _workers(pid) & old_workers:
        if time.monotonic() > limit:
            raise LabError(
                "nginx did not take its new configuration",
                f"see log/{fronts.called('nginx')}-error.log of the lab",
            )
        time.sleep(0.02)


def _generation(lab: LabState) -> int:
    reply = request("GET", f"http://127.0.0.1:{lab.ports.control}/", timeout=2)
    return int(reply.body) if reply.status == 200 and reply.body.isdigit() else -1


def _workers(master: int) -> frozenset[int]:
    try:
        text = Path(f"/proc/{master}/task/{master}/children").read_text()
    except OSError:
        return frozenset()
    return frozenset(map(int, text.split()))


def _nginx_file(front: str | None = None) -> Path:
    return state_folder() / "run" / f"{fronts.called('nginx', front)}.conf"


def _registry_file(kind: str) -> Path:
    return state_folder() / "run" / f"registry-{kind}.yml"


def _registry_config(lab: LabState, kind: str) -> str:
    port = lab.ports.images_backend if kind == "images" else lab.ports.models_backend
    # Ollama downloads a blob only from a registry that redirects to another host name.
    redirect = f"""middleware:
  storage:
    - name: redirect
      options:
        baseurl: "http://{lab.addresses.blobs}:{lab.ports.blobs}/"
"""
    return f"""version: 0.1
log:
  level: warn
  accesslog:
    disabled: true
storage:
  filesystem:
    rootdirectory: {storage(kind)}
  delete:
    enabled: true
  maintenance:
    uploadpurging:
      enabled: false
http:
  addr: 127.0.0.1:{port}
  secret: lab
{redirect if kind == "models" else ""}"""
