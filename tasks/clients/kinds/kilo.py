"""Kilo Code 7: its CLI and its extensions read the same file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasks.clients.entries import Entry
from tasks.clients.kinds.opencode import (
    NO_TOOLS,
    assignment,
    defaults,
    provider_path,
    providers,
    reference,
)
from tasks.clients.wiring import WiredService, Wiring

SCHEMA = "https://app.kilo.ai/config.json"
# Kilo Code's own agents; any other one has to be described.
BUILT_IN = ("ask", "code", "debug", "orchestrator", "plan")
ARCHITECT = {
    "description": "Designs and documents: reads the code, writes no code",
    "mode": "primary",
    "prompt": (
        "You are a software architect. Read what is there, ask where something is unclear, and"
        " answer with designs, decisions and documentation: structure, data flow, interfaces,"
        " trade-offs. Edit documents only, never code."
    ),
}


def entries(wiring: Wiring) -> Iterator[Entry]:
    """Yield what stands in kilo.jsonc.

    Kilo Code writes its schema into any file that lacks it. At its very first start it takes a file
    that is there for one of an older version, and allows its agents every command in it, unless
    the file says something else: asking is what it does by itself.
    """
    yield Entry(("$schema",), SCHEMA, is_default=True)
    yield from providers(wiring)
    yield Entry(("permission", "bash"), "ask", is_default=True)
    yield from defaults(wiring)
    for service in wiring.services:
        for agent in service.asks.agents:
            if agent in BUILT_IN:
                yield from assignment(wiring, agent, agent)
            elif wiring.sets_defaults:
                path, needs = ("agent", agent), (provider_path(service),)
                yield Entry(path, described(service, agent), True, service.name, needs)


def described(service: WiredService, agent: str) -> dict[str, Any]:
    """Return an agent that Kilo Code does not have by itself."""
    own = {"description": f"{agent}: {service.role}", "mode": "primary"}
    tools = {} if service.agent.can("tools") else {"permission": NO_TOOLS}
    model = {"model": reference(service, service.agent)}
    return {**(ARCHITECT if agent == "architect" else own), **model, **tools}
