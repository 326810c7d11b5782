"""A tunnel to the servers of another machine: their ports here, by ssh."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
from collections.abc import Iterable
from itertools import chain
from typing import NoReturn

from console.say import end, show
from console.words.trouble import Trouble
from tasks.declared.stack import Service, service_url

HERE = "127.0.0.1"
# A port that is taken ends it at once, a connection that died within a minute.
OPTIONS = ("-N", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=15")


def command(host: str, services: Iterable[Service]) -> list[str]:
    """Return the ssh that forwards the port of each service, from here to the same one there."""
    forwards = (("-L", f"{HERE}:{s.port}:{_there(s)}:{s.port}") for s in services)
    return [
        "ssh",
        *OPTIONS,
        *chain.from_iterable(forwards),
        "--",
        host,
    ]


def _there(service: Service) -> str:
    """Return the address by which the host itself reaches a service."""
    return service_url(service.bind, service.port).removeprefix("http://").rpartition(":")[0]


def tunnel(host: str, services: Iterable[Service]) -> NoReturn:
    """Become ssh, until Ctrl-C. Ends with a trouble where a port is taken here."""
    services = tuple(services)
    if shutil.which("ssh") is None:
        end(Trouble("there is no ssh on this machine", "sudo apt-get install openssh-client"))
    taken = [s for s in services if _is_taken(s.port)]
    if taken:
        names = ", ".join(f"{s.port} ({s.name})" for s in taken)
        remedy = "end what listens there (ss -ltnp shows it), or the tunnel that is open already"
        end(Trouble(f"these ports are taken on this machine: {names}", remedy))
    for service in services:
        show(f"{service.name}  http://{HERE}:{service.port} → {host}", err=True)
    words = command(host, services)
    show("Open until Ctrl-C. Meanwhile: ./main.sh connect CLIENT", err=True)
    os.execvp(words[0], words)


def shown(host: str, services: Iterable[Service]) -> str:
    """Return the command as a person would type it."""
    return shlex.join(command(host, services))


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HERE, port)) == 0
