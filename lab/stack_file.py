"""The product's settings for the lab: plain ones, as a person could have written them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.items import Table

from lab import state
from lab.images import NEWER, REPOSITORY
from lab.settings import is_free
from lab.state import Engine29, LabState

CONTEXT = 2048
SERVICES = {"qwen": "tiny-qwen:v1", "deepseek": "tiny-deepseek:v1", "mistral": "tiny-mistral:v1"}
ROLES = ("code completion", "technical reasoning", "documentation and architecture")
FIRST_PORT = 11434
LOCK = "stack.lab.lock"
# The product puts it on its containers.
PRODUCT_LABEL = "ollama-stack.stack"


def render(lab: LabState) -> str:
    """Return the settings for the engine."""
    document = _head(lab.image_mirror)
    return _dumps(document, lab, lab.service_ports)


def render_second(lab: LabState, second: Engine29) -> str:
    """Return the settings for the second engine: it sees the image registry at the gateway."""
    document = _head(f"{lab.addresses.gateway}:{lab.ports.images}")
    document.add("image_mirror_insecure", tomlkit.item(True))
    document.add("docker_socket", tomlkit.item(second.socket))
    return _dumps(document, lab, {})


def write(lab: LabState) -> None:
    """Write the settings unless they are there and say the same."""
    _write(state.stack_file(), render(lab))


def write_second(lab: LabState, second: Engine29) -> None:
    """Write the settings for the second engine."""
    _write(state.second_stack_file(), render_second(lab, second))


def _head(image_mirror: str) -> TOMLDocument:
    document = tomlkit.document()
    document.add(tomlkit.comment("The lab: real servers, tiny models, no internet and no GPU."))
    document.add(tomlkit.comment("Written by `lab up`; `lab status` shows what it names."))
    document.add("image", tomlkit.item(f"{REPOSITORY}:{NEWER}"))
    document.add(tomlkit.nl())
    document.add(tomlkit.comment("The lab's registries, in place of Docker Hub's and Ollama's."))
    document.add("image_mirror", tomlkit.item(image_mirror))
    return document


def _dumps(document: TOMLDocument, lab: LabState, ports: Mapping[str, int]) -> str:
    document.add("model_registry", tomlkit.item(lab.model_registry))
    document.add("model_registry_insecure", tomlkit.item(True))
    document.add(tomlkit.nl())
    document.add(tomlkit.comment("What the lab proved says nothing of the real images."))
    document.add("lock", tomlkit.item(LOCK))
    document.add(tomlkit.nl())
    document.add(tomlkit.comment("The tiny models need no card."))
    document.add("gpu", tomlkit.item("off"))
    document.add(tomlkit.nl())
    document.add(tomlkit.comment("What they say is noise: no editor is wired to them unasked."))
    document.add("clients", tomlkit.array())
    document.add(tomlkit.nl())
    document.add(tomlkit.comment("They think nothing and call no tools: nothing is asked of them."))
    document.add("roles", _undemanding())
    document.add(tomlkit.nl())
    models = tomlkit.table(is_super_table=True)
    for name, model in SERVICES.items():
        table = tomlkit.table()
        table.add("model", model)
        if name in ports:
            table.add("port", ports[name])
        table.add("context", CONTEXT)
        table.add("agent", "")
        models.add(name, table)
    document.add("models", models)
    return tomlkit.dumps(document)


def _undemanding() -> Table:
    """Return the roles that tiny models can fill."""
    roles = tomlkit.table(is_super_table=True)
    for name in ROLES:
        role = tomlkit.table()
        role.update({"needs": [], "agent_needs": [], "agent_context": 0})
        roles.add(name, role)
    return roles


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


def choose_ports(published: frozenset[int]) -> dict[str, int]:
    """Return other ports for the services whose default port is taken.

    `published` are the ports of the product's own containers: those are not in the way.
    """
    chosen: dict[str, int] = {}
    candidate = FIRST_PORT + 100
    for number, name in enumerate(SERVICES):
        if FIRST_PORT + number in published or is_free(FIRST_PORT + number):
            continue
        while not is_free(candidate):
            candidate += 1
        chosen[name] = candidate
        candidate += 1
    return chosen
