"""llm, the command line tool: models at OpenAI's side of a server. Source: llm.datasette.io."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasks.clients.entries import Entry, Item
from tasks.clients.wiring import Wiring


def entries(wiring: Wiring) -> Iterator[Entry]:
    """Yield what stands in extra-openai-models.yaml: `llm -m ollama-qwen` is the main model."""
    for service in wiring.services:
        for model in service.models:
            if not model.talks:
                continue
            name = service.id if model is service.main else f"{service.id}/{model.name}"
            item: dict[str, Any] = {
                "model_id": name,
                "model_name": model.name,
                "api_base": service.openai,
            }
            if model.can("tools"):
                item["supports_tools"] = True
            yield Entry((Item("model_id", name),), item, service=service.name)
