"""The log of a service's container, as the engine keeps it."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import docker
from requests.exceptions import RequestException

from console.looking.host import engine_trouble
from console.words.streamed import Streamed
from console.words.trouble import Trouble
from tasks.declared.stack import Service, Stack


def log_of(
    stack: Stack, service: Service, *, follow: bool, lines: int, timestamps: bool
) -> Iterable[bytes] | Trouble:
    """Return the last lines in chunks, as they come; a trouble where there is no container."""
    name = stack.container_name(service)
    try:
        client = docker.DockerClient(base_url=f"unix://{stack.docker_socket}")
        container = client.containers.get(name)
        chunks: Iterator[bytes] = iter(
            container.logs(stream=True, follow=follow, tail=lines, timestamps=timestamps)
        )
        # Only with the first of them it is known whether there are any.
        first = next(chunks, b"")
    except docker.errors.NotFound:
        remedy = f"./main.sh activate {service.name} creates it"
        return Trouble(f"there is no container {name}", remedy)
    except (docker.errors.DockerException, RequestException, OSError):
        # The look may have had sudo; this has not.
        return engine_trouble(stack.docker_socket)
    return chain([first], chunks)


def log_lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield whole lines of a stream, whose chunks end anywhere."""
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in whole)
    if rest:
        yield rest.decode(errors="replace")


def shown(chunks: Iterable[bytes]) -> Iterator[str]:
    """Yield a stream as it comes, made printable; a letter or an escape may be cut anywhere."""
    decoder, streamed = codecs.getincrementaldecoder("utf-8")("replace"), Streamed()
    for chunk in chunks:
        yield streamed.take(decoder.decode(chunk))
    yield streamed.take(decoder.decode(b"", True)) + streamed.end()


def when_and_what(line: str) -> dict[str, Any]:
    """Return a line with its time (UTC, RFC 3339) and its text."""
    time, _, text = line.partition(" ")
    return {"time": time, "text": text.rstrip("\r")}
