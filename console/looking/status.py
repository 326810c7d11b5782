"""What `status` shows of each host, as lines for people and as values for programs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from console.looking.host import SeenHost
from console.looking.services import ServiceView, interrupted, orphans, views
from tasks.containers.observed import seeing
from tasks.database.rows import row_name
from tasks.words.digests import short
from tasks.words.numbers import bytes_text
from tasks.words.steps import LOCAL

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 200
CONVERGE = "./main.sh setup, or pyinfra @local deploys/stack.py"
CONVERGE_FLEET = "pyinfra INVENTORY deploys/stack.py"


@dataclass(frozen=True)
class HostStatus:
    """One host with its rows; a host that nobody could look at has none."""

    seen: SeenHost
    rows: tuple[ServiceView, ...] = ()
    orphans: tuple[str, ...] = ()
    interrupted: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Tell whether nothing has to be done about the host."""
        seen = self.seen
        return not (seen.trouble or seen.lock_fault) and all(row.is_well for row in self.rows)


def statuses(hosts: Iterable[SeenHost]) -> list[HostStatus]:
    """Hold what was seen of each host against its declaration and its lock."""
    return [_status(seen) for seen in hosts]


def _status(seen: SeenHost) -> HostStatus:
    stack = seen.stack
    if stack is None or seen.trouble is not None:
        return HostStatus(seen)
    return HostStatus(
        seen,
        tuple(views(stack, seen.snapshot, seen.lock, seen.name)),
        tuple(orphans(stack, seen.snapshot)),
        tuple(interrupted(stack, seen.snapshot, seen.lock, seen.name)),
    )


def as_value(status: HostStatus) -> dict[str, Any]:
    """Return a host for programs. Another host than this machine has `trouble` as well: null, or
    an object with `cause` and `remedy`, and then no services."""
    seen = status.seen
    value = {
        "stack": seen.stack.container_prefix if seen.stack is not None else None,
        "host": seen.name,
        "docker": seen.snapshot.version,
        "services": [row.as_json() for row in status.rows],
        "orphans": list(status.orphans),
        "interrupted": list(status.interrupted),
    }
    if seen.name == LOCAL and seen.trouble is None:
        return value
    trouble = seen.trouble
    return value | {"trouble": trouble and {"cause": trouble.cause, "remedy": trouble.remedy}}


def as_document(found: list[HostStatus], *, is_here: bool) -> dict[str, Any]:
    """Return what was found for programs: this machine alone, or every host of an inventory."""
    values = [as_value(status) for status in found]
    return values[0] if is_here else {"hosts": values}


def as_text(found: list[HostStatus]) -> str:
    """Return what `print_status` prints, as the terminal of this process would get it."""
    from rich.console import Console  # noqa: PLC0415 (JSON does not pay for it)

    # A program that reads lines wants none of them broken; COLUMNS says otherwise.
    is_wide = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    console = Console(highlight=False, width=PIPE_WIDTH if is_wide else None)
    with console.capture() as captured:
        print_status(found, console)
    return captured.get().rstrip("\n")


def print_status(found: list[HostStatus], console: Console) -> None:
    """Print one table of all services on all hosts, then what it has no room for."""
    from console.looking.table import Line, print_lines  # noqa: PLC0415 (as above)
    from console.words.safe import safe  # noqa: PLC0415 (JSON does not pay for it)

    lines: list[Line] = []
    for status in found:
        host = status.seen.name
        lines += [(row_name(host, row.name), row) for row in status.rows]
        if status.seen.trouble is not None:
            lines.append((host, "silent" if status.seen.stack is not None else "unreachable"))
    print_lines(console, lines)
    for status in found:
        for text, style in notes(status):
            console.print(safe(text, style))
    if not all(row.is_well for status in found for row in status.rows):
        is_here = [status.seen.name for status in found] == [LOCAL]
        remedy = CONVERGE if is_here else CONVERGE_FLEET
        console.print(safe(f"not everything is as declared; remedy: {remedy}"))


def notes(status: HostStatus, *, rows: bool = True) -> Iterator[tuple[str, str]]:
    """Yield what is to be told of a host besides its table, each with its style.

    Without `rows`: of the host alone, not of its services.
    """
    host = status.seen.name
    for row in status.rows if rows else ():
        yield from _of_service(row_name(host, row.name), row)
    where = "" if host == LOCAL else f"{host}: "
    for name in status.orphans:
        yield f"{where}container {name} is ours and no longer declared", ""
    for name in status.interrupted:
        yield f"{where}container {name}: a replacement was interrupted", ""
    if status.seen.lock_fault:
        yield status.seen.lock_fault, "yellow"
    if status.seen.trouble is not None:
        yield f"{host}: {status.seen.trouble.cause}", "red"
        yield f"  remedy: {status.seen.trouble.remedy}", ""


def _of_service(name: str, row: ServiceView) -> Iterator[tuple[str, str]]:
    if row.unknown:
        yield f"{name}: not known: {row.unknown}; {seeing(row.container)}", "red"
    for change in row.drift:
        yield f"{name}: drift: {change['field']} {change['old']} → {change['new']}", "yellow"
    if row.left_gpu:
        yield f"{name}: {row.left_gpu}; ./main.sh doctor looks into it", "yellow"
    if row.previous:
        kept = ", ".join(
            f"{k['name']}@{short(k['digest'])} ({bytes_text(k['size']) if k['size'] else '?'})"
            for k in row.previous
        )
        yield f"{name}: kept for a rollback: {kept}", ""
    further = [model for model in row.models if model != row.model]
    if further:
        yield f"{name}: further models: {', '.join(further)}", ""
    if row.undeclared:
        yield f"{name}: not declared, left alone: {', '.join(row.undeclared)}", ""
