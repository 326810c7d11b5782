"""The log of a service's container, as the engine keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import docker

from console.host import Trouble
from tasks.stack import Service, Stack


def log_of(
    stack: Stack, service: Service, *, follow: bool, lines: int, timestamps: bool
) -> Iterable[bytes] | Trouble:
    """Return the last lines in chunks, as they come; a trouble where there is no container."""
    client = docker.DockerClient(base_url=f"unix://{stack.docker_socket}")
    name = stack.container_name(service)
    try:
        container = client.containers.get(name)
    except docker.errors.NotFound:
        remedy = f"./main.sh activate {service.name} creates it"
        return Trouble(f"there is no container {name}", remedy)
    chunks: Iterable[bytes] = container.logs(
        stream=True, follow=follow, tail=lines, timestamps=timestamps
    )
    return chunks


def log_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield whole lines of a stream, whose chunks end anywhere."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def when_and_what(line: str) -> dict[str, Any]:
    """Return a line with its time (UTC, RFC 3339) and its text."""
    time, _, text = line.partition(" ")
    return {"time": time, "text": text.rstrip("\r")}
