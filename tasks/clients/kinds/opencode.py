"""opencode, and Kilo Code 7, which reads the same shapes. Source: opencode.ai/docs/config."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tasks.clients.entries import Entry
from tasks.clients.wiring import WiredModel, WiredService, Wiring

SCHEMA = "https://opencode.ai/config.json"
MODEL = ("model",)
NPM = "@ai-sdk/openai-compatible"
# Ollama asks for no key, the library does.
NO_KEY = "ollama"
# opencode's agents, and the agent of Kilo Code whose service stands behind each.
AGENTS = {"build": "code", "plan": "plan"}
NO_TOOLS = {"*": "deny"}


def entries(wiring: Wiring) -> Iterator[Entry]:
    """Yield what stands in opencode.json."""
    yield Entry(("$schema",), SCHEMA, is_default=True)
    yield from providers(wiring)
    yield from defaults(wiring)
    for agent, role_agent in AGENTS.items():
        yield from assignment(wiring, agent, role_agent)


def providers(wiring: Wiring) -> Iterator[Entry]:
    """Yield a provider for each service."""
    for service in wiring.services:
        yield Entry(provider_path(service), provider(service), service=service.name)


def provider_path(service: WiredService) -> tuple[str, str]:
    """Return where a service stands as a provider."""
    return ("provider", service.id)


def provider(service: WiredService) -> dict[str, Any]:
    """Return a service as a provider: one base URL, its models with their limits in tokens."""
    return {
        "npm": NPM,
        "name": f"{service.title} (ollama-stack)",
        "options": {"baseURL": service.openai, "apiKey": NO_KEY},
        "models": {model.name: _model(model) for model in service.models if model.talks},
    }


def _model(model: WiredModel) -> Mapping[str, Any]:
    return {
        "name": model.name,
        "tool_call": model.can("tools"),
        "reasoning": model.can("thinking"),
        "limit": {"context": model.context, "output": model.answer},
    }


def reference(service: WiredService, model: WiredModel) -> str:
    """Return how a model is named where one is chosen."""
    return f"{service.id}/{model.name}"


def defaults(wiring: Wiring) -> Iterator[Entry]:
    """Yield the models that are used where nothing else is said.

    Without a small model the client may ask one of its maker's; another model than the agent's
    would push that one out of the card's memory.
    """
    first = wiring.first
    if first is None or not wiring.sets_defaults:
        return
    model = reference(first, first.agent)
    provided = (provider_path(first),)
    yield Entry(MODEL, model, is_default=True, service=first.name, needs=provided)
    yield Entry(("small_model",), model, is_default=True, service=first.name, needs=(MODEL,))


def assignment(wiring: Wiring, agent: str, role_agent: str) -> Iterator[Entry]:
    """Yield the model of an agent, and that it has no tools where the model cannot call any.

    Such a model is answered with an error otherwise ("does not support tools"). Whoever chose a
    default model chose it for all agents.
    """
    service = wiring.serving(role_agent)
    if service is None or not wiring.sets_defaults:
        return
    model = reference(service, service.agent)
    path = ("agent", agent, "model")
    needs = (MODEL, provider_path(service))
    yield Entry(path, model, is_default=True, service=service.name, needs=needs)
    if not service.agent.can("tools"):
        denied = ("agent", agent, "permission")
        yield Entry(denied, NO_TOOLS, is_default=True, service=service.name, needs=(path,))
