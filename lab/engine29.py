"""A second Docker Engine of the 29 era, in a network namespace of its own.

In the machine's own namespace it would take docker0 down for everybody. A pair of devices joins
the two namespaces, so that the second engine reaches both registries at the first one's gateway.
"""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from typing import Any

from lab import engine, engine29_registries, fronts, processes, source, stack_file, state
from lab.errors import LabError
from lab.leftovers import end_processes_of, unmount_below
from lab.paths import lab_id, state_folder
from lab.processes import Program
from lab.say import step
from lab.settings import machine_addresses
from lab.shell import as_root, read, require_root, run
from lab.state import Engine29, LabState

START_SECONDS = 60
# A unix socket's path has at most 107 bytes, and containerd's is the longest below the folder.
LONGEST_STATE = 60
BRIDGES = ("172.29.0.1/24", "172.30.0.1/24")
POOLS = ("172.31.0.0/16", "10.214.0.0/16")
JOINTS = "10.213.0.0/16"


def ensure(lab: LabState) -> LabState:
    """Bring the second engine up where it is not, and return the state that names it."""
    require_root("a second engine")
    if len(str(state_folder())) > LONGEST_STATE:
        raise LabError(
            f"the path {state_folder()} is too long for the second engine's sockets",
            f"give the lab a LAB_STATE of at most {LONGEST_STATE} letters",
        )
    source.dockerd()
    source.docker_proxy()
    second = lab.engine29 or _planned()
    lab = state.update(engine29=second)
    _ensure_namespace(second)
    if engine.version(second.socket) is None or not engine29_registries.are_in_a_file(pid()):
        _start(lab, second)
    else:
        engine29_registries.tell(second, _placeholder())
    if not fronts.name():
        stack_file.write_second(lab, second)
    return lab


def remove(lab: LabState) -> None:
    """Take the second engine down with all that runs in it."""
    second = lab.engine29
    if second is None:
        return
    with step("Stop the second Docker Engine"):
        if engine.version(second.socket) is not None:
            for container in engine.client(second.socket).containers.list(all=True):
                container.remove(force=True)
        processes.stop(_placeholder(), seconds=30)
        end_processes_of(second.namespace)
        unmount_below(_folder())
        run(as_root(["rm", "-rf", "--one-file-system", str(_folder())]), timeout=120)
        if second.namespace in _namespaces():
            run(as_root(["ip", "netns", "del", second.namespace]))
        if _has_device(second.device):
            run(as_root(["ip", "link", "del", second.device]))
    state.update(engine29=None)


def command_inside(lab: LabState) -> list[str]:
    """Return the words to put before a command that shall run inside, as a client of the engine.

    /sys/fs/cgroup is hidden there; clients need none.
    """
    second = lab.engine29
    if second is None:
        raise LabError("the lab has no second engine", "run `python -m lab up --engine29`")
    inside = ["ip", "netns", "exec", second.namespace, "env"]
    return as_root([*inside, f"DOCKER_HOST=unix://{second.socket}"])


def pid() -> int | None:
    """Return the pid of the second engine, None where it does not run."""
    return processes.pid_of(_placeholder())


def _planned() -> Engine29:
    taken = [entry.network for entry in machine_addresses()]
    first = int(lab_id()[:4], 16)
    for number in range(256):
        joint = list(ipaddress.IPv4Network(JOINTS).subnets(new_prefix=30))[(first + number) % 2**14]
        if not any(joint.overlaps(other) for other in taken):
            outer, inner = list(joint.hosts())
            return Engine29(
                namespace=f"ollama-stack-lab-{lab_id()}",
                device=f"oslab{lab_id()}",
                address=str(outer),
                inner_address=str(inner),
                socket=str(state_folder() / "engine29.sock"),
            )
    raise LabError(f"no free network in {JOINTS}", "run `lab down` in other labs")


def _ensure_namespace(second: Engine29) -> None:
    name, device, inner = second.namespace, second.device, "lab0"
    if name in _namespaces() and _has_device(device) and _is_joined(second):
        return
    with step(f"Make the network namespace {name}"):
        if _has_device(device):
            run(as_root(["ip", "link", "del", device]))
        if name not in _namespaces():
            run(as_root(["ip", "netns", "add", name]))
        inside = ["ip", "-n", name]
        for command in (
            ["ip", "link", "add", device, "type", "veth", "peer", "name", inner, "netns", name],
            ["ip", "addr", "add", f"{second.address}/30", "dev", device],
            ["ip", "link", "set", device, "up"],
            [*inside, "link", "set", "lo", "up"],
            [*inside, "addr", "add", f"{second.inner_address}/30", "dev", inner],
            [*inside, "link", "set", inner, "up"],
            [*inside, "route", "add", "default", "via", second.address],
        ):
            run(as_root(command))


def _is_joined(second: Engine29) -> bool:
    routes = read(as_root(["ip", "-n", second.namespace, "route", "show", "default"]))
    return second.address in routes


def _start(lab: LabState, second: Engine29) -> None:
    program = _program(lab, second)
    with step("Start the second Docker Engine"):
        processes.stop(program)
        end_processes_of(second.namespace)
        _folder().mkdir(parents=True, exist_ok=True)
        engine29_registries.write()
        processes.start(program)
        processes.wait_until(
            lambda: engine.version(second.socket) is not None, program, START_SECONDS
        )


def _program(lab: LabState, second: Engine29) -> Program:
    gateway = lab.addresses.gateway
    command = (
        # Not `ip netns exec`: that hides /sys/fs/cgroup.
        *("nsenter", f"--net=/run/netns/{second.namespace}"),
        *(str(source.dockerd()), f"--host=unix://{second.socket}"),
        *(f"--data-root={_folder()}/data", f"--exec-root={_folder()}/run"),
        *(f"--pidfile={_folder()}/dockerd.pid", f"--bip={free_of(BRIDGES, gateway)}"),
        f"--default-address-pool=base={free_of(POOLS, gateway)},size=24",
        # Debian's runc is older than time namespaces.
        "--feature=time-namespaces=false",
        f"--userland-proxy-path={source.docker_proxy()}",
        f"--config-file={engine29_registries.file()}",
        _mark(),
    )
    return Program("engine29", command, _mark(), needs_root=True)


def _placeholder() -> Program:
    """Return the program as far as it takes to find and stop it."""
    return Program("engine29", (), _mark(), needs_root=True)


def _mark() -> str:
    return f"--label={engine.LAB_LABEL}={lab_id()}-29"


def _folder() -> Path:
    return state_folder() / "engine29"


def free_of(networks: tuple[str, ...], gateway: str) -> str:
    """Return the first network that does not hide the first engine's gateway."""
    address = ipaddress.IPv4Address(gateway)
    return next(n for n in networks if address not in ipaddress.IPv4Interface(n).network)


def _namespaces() -> frozenset[str]:
    entries: list[dict[str, Any]] = json.loads(read(["ip", "-j", "netns", "list"]) or "[]")
    return frozenset(str(entry["name"]) for entry in entries)


def _has_device(name: str) -> bool:
    return bool(read(["ip", "-o", "link", "show", "dev", name]))
