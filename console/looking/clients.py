"""The clients of this machine's user: those that are here, and what of ours their files hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from console.looking.host import lock_of, snapshot_of
from console.say import end, show
from console.words.trouble import Trouble
from tasks.clients.documents import (
    EDITIONS,
    FOUND_BY,
    NAMES,
    Document,
    Owned,
    documents,
    meant,
    places,
)
from tasks.clients.look import LookFailed, ObservedUser, look
from tasks.clients.merge import merge
from tasks.clients.outcome import shown
from tasks.clients.plan import plan_user
from tasks.clients.record import BrokenRecord, Record
from tasks.clients.wiring import Shows, Wiring, client_url, known_shows, wiring_of
from tasks.containers.observed import Snapshot
from tasks.declared.stack import Stack
from tasks.servers.abilities import show as show_model
from tasks.shell.as_user import UserShell
from tasks.shell.local import LocalShell
from tasks.words.steps import LOCAL

LOOK_REMEDY = "set HOME, see that it can be read, or run it as another user"


@dataclass(frozen=True)
class Here:
    """This machine's user, the clients that the declaration means, and what these are wired to."""

    stack: Stack
    shell: UserShell
    user: ObservedUser
    clients: list[str]
    wiring: Wiring

    def documents(self, clients: Iterable[str]) -> list[Document]:
        """Return the files of some clients as they should be."""
        all_of_them = {*self.clients, *clients}
        made = documents(
            self.wiring, all_of_them, self.user, is_remote=bool(self.stack.client_host)
        )
        return [document for document in made if document.client in {*clients}]

    @cached_property
    def records(self) -> dict[str, Record | None]:
        """What was written down of each document; None for what nobody can read."""
        return {name: _readable(data) for name, data in self.user.records.items()}

    def connected(self) -> dict[str, list[str]]:
        """Return the files that hold something of ours, by client."""
        connected: dict[str, list[str]] = {}
        for record in filter(None, self.records.values()):
            connected.setdefault(record.client, []).append(shown(self.user, record.path))
        return connected

    def only(self, clients: Iterable[str]) -> ObservedUser:
        """Return the user with the records of some clients, and those that nobody can read."""
        names = {*clients}
        chosen = (n for n, record in self.records.items() if not record or record.client in names)
        kept = {name: self.user.records[name] for name in chosen}
        return replace(self.user, records=kept)


def _readable(data: bytes) -> Record | None:
    try:
        return Record.of(data)
    except BrokenRecord:
        return None


def here(stack: Stack, snapshot: Snapshot | None = None) -> Here:
    """Look at this machine's user, the one who called sudo where that is root, or end."""
    try:
        return look_at_clients(stack, snapshot)
    except LookFailed as error:
        end(Trouble(f"{error}", LOOK_REMEDY))


def look_at_clients(stack: Stack, snapshot: Snapshot | None = None) -> Here:
    """Look at that user. Raises LookFailed."""
    caller = os.environ.get("SUDO_USER", "") if os.geteuid() == 0 else ""
    shell = UserShell(LocalShell(), caller)
    user = look(shell, {**FOUND_BY, **EDITIONS}, places(stack), stack.container_prefix)
    if user is None:
        raise LookFailed("this user has no home folder")
    if snapshot is None:
        snapshot, _ = snapshot_of(stack)
    clients = meant(stack, user, snapshot)
    return Here(stack, shell, user, clients, wiring_of(stack, snapshot, _shows(stack)))


def _shows(stack: Stack) -> Shows:
    """Return what is known of the models: by the lock, and else by asking where clients would."""
    lock = lock_of(stack)
    found = dict(known_shows(lock.of_host(LOCAL) if lock is not None else {}))
    for service in stack.services if not stack.client_host else ():
        missing = [m for m in service.models if (service.name, m) not in found and service.active]
        for model in missing:
            told = show_model(LocalShell(), client_url(stack, service), model)
            if told is not None:
                found[service.name, model] = told
    return found


def listing(machine: Here) -> list[dict[str, Any]]:
    """Return every client: whether it is here, meant, which files hold something of ours, and
    which of them a converge would change or cannot."""
    connected = machine.connected()
    outcome = plan_user(machine.user, machine.documents(machine.clients), machine.wiring.unknown)
    differing: dict[str, list[str]] = {}
    for one in outcome.changes:
        differing.setdefault(one.client, []).append(one.shown)
    told = "\n".join(f"{f.what}\n{f.cause}\n{f.remedy}" for f in outcome.failures)
    for name, paths in connected.items():
        differing.setdefault(name, []).extend(path for path in paths if path in told)
    return [
        {
            "client": name,
            "found": name in machine.user.found,
            "declared": name in machine.clients,
            "files": connected.get(name, []),
            "differing": differing.get(name, []),
        }
        for name in NAMES
    ]


def lines(machine: Here) -> Iterator[str]:
    """Yield the listing for people."""
    for row in listing(machine):
        state = "connected" if row["files"] else "found" if row["found"] else "not here"
        if row["found"] and not row["declared"]:
            state += ", not declared"
        if row["differing"]:
            state += f", not as it should be: ./main.sh connect {row['client']}"
        yield f"{row['client']:<12} {state}"
        yield from (f"{'':<12}   {path}" for path in row["files"])


def tell_unknown(machine: Here) -> None:
    """Say of which services nobody knows what their models can do."""
    for name in sorted(machine.wiring.unknown):
        show(
            f"{name}: not all of its models are known here (not pulled, or its server does not"
            " answer): what stands of it in files stays as it is",
            err=True,
        )


def printed(machine: Here, clients: Iterable[str]) -> Iterator[str]:
    """Yield what would stand in new files of clients, each under its path."""
    for document in machine.documents(clients):
        if isinstance(document, Owned):
            path, text = machine.user.path(document.place), document.content
        else:
            path = machine.user.path(document.new_at)
            made = merge(document.format, None, document.entries, None).text
            text = (made or b"").decode()
        yield f"# {shown(machine.user, path)}\n{text}"
