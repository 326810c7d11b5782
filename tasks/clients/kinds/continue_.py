"""Continue: completion while typing, chat, edits, embeddings. Source: docs.continue.dev."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasks.clients.entries import Entry, Item
from tasks.clients.wiring import WiredModel, WiredService, Wiring

TALKING = ("chat", "edit", "apply")


def entries(wiring: Wiring) -> Iterator[Entry]:
    """Yield what stands in config.yaml."""
    for key, value in (("name", "Local models"), ("version", "1.0.0"), ("schema", "v1")):
        yield Entry((key,), value, is_default=True)
    for service in wiring.services:
        for model in service.models:
            item = described(service, model)
            yield Entry(("models", Item("name", item["name"])), item, service=service.name)


def described(service: WiredService, model: WiredModel) -> dict[str, Any]:
    """Return a model with what it is used for."""
    told: dict[str, Any] = {
        "name": f"{service.id} {model.name}",
        "provider": "ollama",
        "model": model.name,
        "apiBase": service.url,
        "roles": roles(service, model),
        # The extension sends its own with every request, so that without them the server would
        # load the model anew, for another context, and keep it for half an hour.
        "defaultCompletionOptions": {
            "contextLength": model.context,
            "maxTokens": model.answer,
            "keepAlive": service.keep_alive,
        },
    }
    if model.can("tools"):
        told["capabilities"] = ["tool_use"]
    return told


def roles(service: WiredService, model: WiredModel) -> list[str]:
    """Return what a model is for: completion where it can fill in the middle, and talk.

    Where agents have a model of their own, that one talks and the main one only completes.
    """
    if not model.talks:
        return ["embed"]
    if model.can("insert"):
        return ["autocomplete"] if service.agent != model else [*TALKING, "autocomplete"]
    return [*TALKING]
