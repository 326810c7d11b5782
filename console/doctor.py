"""Everything in the order in which a person would debug it, each with its remedy."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from console.host import engine_trouble, read_lock, shell_for
from console.services import ServiceView, interrupted, views
from tasks.inventory.database import is_up_to_date, unusable
from tasks.inventory.rows import LOCAL
from tasks.layers import rooted
from tasks.lockfile import ServiceLock
from tasks.ollama.generation import Proof, generate, is_as_declared, is_slower
from tasks.ollama.look import look
from tasks.ollama.observed import Snapshot
from tasks.shell import LocalShell
from tasks.stack import Service, Stack
from tasks.steps import StepFailed
from tasks.text import bytes_text

CONVERGE = "pyinfra @local deploys/stack.py (or ./main.sh setup) mends it"
GB = 10**9


@dataclass(frozen=True)
class Check:
    """One finding. `remedy` is there where it is not well."""

    what: str
    is_well: bool
    finding: str
    remedy: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return the finding for programs."""
        return asdict(self)


def checks(stack: Stack) -> Iterator[Check]:
    """Check one thing after the other; what depends on something that is not there is left out."""
    yield Check("declaration", True, f"{len(stack.services)} services are declared")
    lock, fault = read_lock(stack)
    cause, _, remedy = fault.partition("\n  remedy: ")
    yield Check("lock", not cause, cause or f"{stack.lock} can be read", remedy)
    yield gpu_check(stack)
    snapshot = look(shell_for(stack), stack)
    if not snapshot.version:
        trouble = engine_trouble(stack.docker_socket)
        yield Check("Docker Engine", False, trouble.cause, trouble.remedy)
        return
    yield Check("Docker Engine", True, f"version {snapshot.version} answers")
    yield disk_check(stack)
    for view in views(stack, snapshot, lock):
        yield service_check(view)
    for name in interrupted(stack, snapshot, lock):
        yield Check(f"container {name}", False, "a replacement was interrupted", CONVERGE)
    for service in stack.services:
        if service.active and service.model in snapshot.server(service.name).models:
            entry = lock.service(LOCAL, service.name) if lock is not None else ServiceLock()
            yield generation_check(stack, service, snapshot, entry)
    yield database_check(stack, snapshot)


def gpu_check(stack: Stack) -> Check:
    """Ask nvidia-smi; that a model really runs on the card only a generation shows."""
    if not stack.has_gpu_service:
        return Check("GPU", True, "not looked at: gpu is off")
    is_required = any(s.active and s.gpu == "required" for s in stack.services)
    if shutil.which("nvidia-smi") is None:
        remedy = 'install the NVIDIA driver, or declare gpu = "auto"' if is_required else ""
        return Check("GPU", not is_required, "no nvidia-smi: models run on the CPU", remedy)
    query = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    done = subprocess.run(query, text=True, capture_output=True, check=False, timeout=30)
    if done.returncode:
        words = (done.stdout + done.stderr).strip().splitlines()
        remedy = "a driver that was updated under the running one needs a reboot"
        return Check("GPU", False, words[-1] if words else "nvidia-smi fails", remedy)
    return Check("GPU", True, "; ".join(done.stdout.strip().splitlines()))


def disk_check(stack: Stack) -> Check:
    """Compare what is free where Docker keeps its data with the declared reserve."""
    path = next(p for p in ("/var/lib/docker", "/var/lib", "/") if os.path.exists(p))
    free = shutil.disk_usage(path).free
    return Check(
        "disk",
        free >= stack.disk_reserve_gb * GB,
        f"{bytes_text(free)} are free at {path}",
        "free some space: docker system df shows what Docker uses",
    )


def service_check(view: ServiceView) -> Check:
    """Judge a service by its row."""
    finding = f"{view.state}, {view.installed_version or f'{view.model} is not there'}"
    if view.drift:
        finding += "; drift: " + ", ".join(
            f"{change['field']} {change['old']} → {change['new']}" for change in view.drift
        )
    return Check(view.name, view.is_well, finding, "" if view.is_well else CONVERGE)


def generation_check(
    stack: Stack, service: Service, snapshot: Snapshot, entry: ServiceLock
) -> Check:
    """Generate for real, one service after the other, and unload what that loaded."""
    loaded = {model.name for model in snapshot.server(service.name).loaded}
    try:
        proof = generate(
            LocalShell(),
            service.url,
            service.model,
            stack.container_name(service),
            limit=stack.generate_timeout,
            unload=service.model not in loaded,
        )
    except StepFailed as error:
        return Check(f"{service.name}: generation", False, error.cause, error.remedy)
    return judged(proof, service, entry, stack.container_name(service))


def judged(proof: Proof, service: Service, entry: ServiceLock, container: str) -> Check:
    """Judge a generation: by where it ran, and by what the service could do when it was proven."""
    what = f"{service.name}: generation"
    finding = proof.finding
    known = entry.rate(proof.model, proof.verdict)
    if is_slower(proof.rate, known):
        finding += f"; {known:.0f} when it was proven"
    had_gpu = proof.model in entry.gpu_models and service.gpu != "off"
    if is_as_declared(proof, service) or not (had_gpu or service.gpu == "required"):
        return Check(what, True, finding)
    finding += "; it was on the GPU when it was proven" if had_gpu else ""
    remedy = (
        "nvidia-smi shows what else uses the card; after an update of the driver:"
        f" docker restart {container}; ./main.sh plan shows what fits"
    )
    return Check(what, False, finding, remedy)


def database_check(stack: Stack, snapshot: Snapshot) -> Check:
    """Compare the database with what is there."""
    from console.sync import inventory_now  # noqa: PLC0415 (sync asks for this module's look)

    path = rooted(stack.database)
    reason = unusable(path)
    if reason:
        return Check("database", False, f"{path.name} is unusable ({reason})", CONVERGE)
    if not is_up_to_date(path, inventory_now(stack, snapshot)):
        return Check("database", False, f"{path.name} is behind", "./main.sh sync brings it up")
    return Check("database", True, f"{path.name} tells what is there")
