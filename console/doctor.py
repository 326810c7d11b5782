"""Everything in the order in which a person would debug it, each with its remedy."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from console.host import engine_trouble, read_lock, shell_for
from console.services import ServiceView, interrupted, views
from tasks.inventory.database import is_up_to_date, unusable
from tasks.inventory.rows import LOCAL
from tasks.layers import rooted
from tasks.lockfile import ServiceLock
from tasks.nvidia.checklist import checklist
from tasks.nvidia.look import look_at_nvidia
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.troubles import NO_CARD
from tasks.nvidia.verdict import requiring
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
    """One finding. `remedy` is there where it is not well.

    `is_notable`: it is well, and a person may want to know more or do better.
    """

    what: str
    is_well: bool
    finding: str
    remedy: str = ""
    is_notable: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the finding for programs."""
        return asdict(self)


def checks(stack: Stack) -> Iterator[Check]:
    """Check one thing after the other; what depends on something that is not there is left out."""
    yield Check("declaration", True, f"{len(stack.services)} services are declared")
    lock, fault = read_lock(stack)
    cause, _, remedy = fault.partition("\n  remedy: ")
    yield Check("lock", not cause, cause or f"{stack.lock} can be read", remedy)
    yield from gpu_checks(stack)
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


def gpu_checks(stack: Stack, nvidia: Nvidia | None = None) -> Iterator[Check]:
    """Go through the list of the GPU; that a model really runs on it only a generation shows."""
    if not stack.has_gpu_service:
        yield Check("GPU", True, "not looked at: gpu is off")
        return
    findings = checklist(nvidia or look_at_nvidia(LocalShell()), stack)
    if findings[0].trouble is NO_CARD and not requiring(stack):
        # As declared: the GPU may be used and need not.
        yield Check("GPU", True, f"{NO_CARD.cause}: models run on the CPU")
        return
    for found in findings:
        if found.verdict != "not reached":
            is_well, is_notable = found.verdict != "fault", found.verdict == "warning"
            yield Check(f"GPU: {found.name}", is_well, found.finding, found.remedy, is_notable)
    left = ", ".join(found.name for found in findings if found.verdict == "not reached")
    if left:
        yield Check("GPU", True, f"not reached: {left}", is_notable=True)


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
    if is_slower(proof, known):
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
