"""All that is known of one service: declared against seen, and its container as Docker shows it."""

from __future__ import annotations

from typing import Any

from console.app.cells import Shown, about
from console.looking.host import SeenHost
from tasks.containers.drift import ABSENT, fields
from tasks.containers.spec import spec_as_attached
from tasks.declared.stack import Service, Stack
from tasks.words.printable import json_text
from tasks.words.secrets.variables import is_private
from tasks.words.steps import LOCAL

HIDDEN = "…"


def details(shown: Shown, seen: SeenHost) -> list[str]:
    """Return the lines; on this machine with what `docker inspect` shows."""
    stack = seen.stack
    services = stack.services if stack is not None else ()
    service = next((s for s in services if s.name == shown.view.name), None)
    if stack is None or service is None:
        return about(shown)
    lines = [*about(shown), "", *compared(stack, service, seen)]
    if shown.host == LOCAL:
        lines += ["", "docker inspect:", *inspect_lines(stack, service)]
    return lines


def compared(stack: Stack, service: Service, seen: SeenHost) -> list[str]:
    """Return every setting of the container, declared against seen, a line each."""
    name = stack.container_name(service)
    container = seen.snapshot.named(name)
    if container is None:
        return [f"there is no container {name}"]
    spec = spec_as_attached(stack, service, container)
    lines = ["declared against seen (≠ differs):"]
    for field in fields(spec, container, seen.snapshot.images):
        old, new = (_hidden(v) if field.is_private else v for v in (field.old, field.new))
        is_equal = field.old == field.new
        lines.append(
            f"  {field.field}: {new}" if is_equal else f"≠ {field.field}: {new}, seen: {old}"
        )
    return lines


def _hidden(value: str) -> str:
    return value if value == ABSENT else HIDDEN


def inspect_lines(stack: Stack, service: Service) -> list[str]:
    """Ask Docker for the container; return its JSON in lines, private values hidden."""
    import docker  # noqa: PLC0415 (a quarter of a second)

    try:
        client = docker.DockerClient(base_url=f"unix://{stack.docker_socket}")
        try:
            found = client.api.inspect_container(stack.container_name(service))
        finally:
            client.close()
    except (docker.errors.DockerException, OSError) as error:
        return [str(error)]
    return json_text(without_private(found), indent=2, is_ascii=False).split("\n")


def without_private(attrs: dict[str, Any]) -> dict[str, Any]:
    """Return a container's inspect object with the values of private variables hidden."""
    config = attrs.get("Config") or {}
    pairs = [variable.partition("=") for variable in config.get("Env") or ()]
    shown = [f"{n}={HIDDEN if is_private(n, value) else value}" for n, _, value in pairs]
    return {**attrs, "Config": {**config, "Env": shown}}
