"""Services by the names that a person types, and names that are near to a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

import click

from console.looking.host import declared, snapshot_of
from console.say import end
from tasks.containers.observed import Snapshot
from tasks.declared.stack import Service, Stack


def near(name: str, known: Iterable[str]) -> str:
    """Return the hint for a name that is not known: "" where none is near."""
    found = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def chosen(stack: Stack, name: str) -> Service:
    """Return the declared service of this name. Raises click.UsageError."""
    known = {s.name: s for s in stack.services}
    if name not in known:
        declares = f"; declared: {', '.join(known)}"
        raise click.UsageError(f"there is no service {name!r}{near(name, known) or declares}")
    return known[name]


def active(stack: Stack, name: str) -> Service:
    """Return the declared service of this name, if it is active. Raises click.UsageError."""
    service = chosen(stack, name)
    if not service.active:
        raise click.UsageError(f"{name} is declared inactive: ./main.sh activate {name}")
    return service


def several(stack: Stack, names: Iterable[str], *, are_all: bool) -> list[Service]:
    """Return the services that are named, or all. Raises click.UsageError."""
    found = [chosen(stack, name) for name in dict.fromkeys(names)]
    if are_all and found:
        raise click.UsageError("--all is every service: leave the names out")
    if not are_all and not found:
        known = ", ".join(s.name for s in stack.services)
        raise click.UsageError(f"name a service ({known}), or --all")
    return list(stack.services) if are_all else found


def look_or_end() -> tuple[Stack, Snapshot]:
    """Return the declaration and what is there; end where the engine does not answer."""
    stack = declared()
    snapshot, trouble = snapshot_of(stack)
    if trouble is not None:
        end(trouble)
    return stack, snapshot
