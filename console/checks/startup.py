"""What has to be there, checked when the app opens: each by itself, none waits for another."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from console.checks.finding import Check
from console.checks.lines import check_lines
from console.looking.fleet import FleetError, hosts_in
from console.looking.gpu import GpuReader
from console.looking.host import JOIN_GROUP, declared, engine_trouble, shell_for
from console.words.trouble import fault
from tasks.database.database import unusable
from tasks.declared.layers import rooted
from tasks.declared.stack import DeclarationError
from tasks.shell.engine_api import ask, engine
from tasks.words.steps import LOCAL

ENGINE_SECONDS = 10
Checked = Callable[[], Check]


def declaration() -> Check:
    """Check that the declaration is valid."""
    try:
        return Check("declaration", True, f"{len(declared().services)} services are declared")
    except DeclarationError as error:
        return Check("declaration", False, "; ".join(error.faults), "correct stack.toml")


def docker() -> Check:
    """Check that Docker answers."""
    stack = declared()
    socket = stack.docker_socket
    if ask(shell_for(socket), engine("/version"), socket=socket, timeout=ENGINE_SECONDS).ok:
        return Check("Docker", True, f"answers at {stack.docker_socket}")
    trouble = engine_trouble(stack.docker_socket)
    return Check("Docker", False, trouble.cause, trouble.remedy)


def membership() -> Check:
    """Check that this user may use Docker without sudo."""
    socket = declared().docker_socket
    if not Path(socket).exists():
        return Check("user", True, "not known before Docker runs", is_notable=True)
    if os.access(socket, os.R_OK | os.W_OK):
        return Check("user", True, "may use Docker")
    return Check("user", False, f"this user may not use Docker ({socket})", JOIN_GROUP)


def database() -> Check:
    """Check that the database can be gone on with."""
    path = rooted(declared().database)
    reason = unusable(path)
    if reason:
        remedy = "the next look sets it aside and builds it anew from what runs"
        return Check("database", False, f"{path.name} is unusable ({reason})", remedy)
    return Check("database", True, f"{path.name} {'can be used' if path.exists() else 'is new'}")


def gpu() -> Check:
    """Check that the GPU's own library sees a card, where one is wanted."""
    found = GpuReader().read()
    if found.cards:
        return Check("GPU", True, ", ".join(card.name for card in found.cards))
    is_required = any(s.active and s.gpu == "required" for s in declared().services)
    remedy = "./main.sh doctor goes through driver, toolkit and Docker"
    return Check("GPU", not is_required, f"{found.reason}: models run on the CPU", remedy)


CHECKS: dict[str, Checked] = {
    "declaration": declaration,
    "Docker": docker,
    "user": membership,
    "database": database,
    "GPU": gpu,
}
# What the controller of a fleet needs as well.
OF_RECORDS = ("declaration", "database")


def names(inventory: Path) -> list[str]:
    """Name the checks that matter: of another machine's Docker its row tells."""
    with suppress(FleetError):
        if LOCAL not in hosts_in(inventory):
            return list(OF_RECORDS)
    return list(CHECKS)


def checked(name: str) -> Check:
    """Do one check; what it needs and cannot have is its finding."""
    try:
        return CHECKS[name]()
    except DeclarationError:
        return Check(name, True, "not known before the declaration is valid", is_notable=True)
    except Exception as error:
        return Check(name, False, fault(error).cause, fault(error).remedy)


def lines(found: dict[str, Check | None], *, everything: bool) -> list[str]:
    """Return the checks as lines: those under way or not well, or all."""
    said = []
    for name, check in found.items():
        if check is None:
            said.append(f"… {name}")
        elif everything or not check.is_well:
            said += check_lines(check)
    return said
