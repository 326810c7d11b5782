"""aider: one model for each talk, by the OpenAI side. Source: aider.chat/docs/config.

`ollama_chat/` asks port 11434 whatever it is told, so that each model brings its own base URL.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tasks.clients.entries import Entry, Item
from tasks.clients.kinds.opencode import NO_KEY
from tasks.clients.wiring import WiredModel, WiredService, Wiring


def _talking(wiring: Wiring) -> Iterator[tuple[WiredService, WiredModel]]:
    seen = set()
    for service in wiring.services:
        for model in (service.agent, *service.models):
            # aider knows a model by its name alone: of two servers with one, the first is asked.
            if model.talks and model.name not in seen:
                seen.add(model.name)
                yield service, model


def name(model: WiredModel) -> str:
    """Return what aider calls a model."""
    return f"openai/{model.name}"


def defaults(wiring: Wiring) -> Iterator[Entry]:
    """Yield what stands in .aider.conf.yml."""
    first = wiring.first
    if first is None or not wiring.sets_defaults:
        return
    model = name(first.agent)
    yield Entry(("model",), model, is_default=True, service=first.name)
    yield Entry(("weak-model",), model, is_default=True, service=first.name, needs=(("model",),))


def settings(wiring: Wiring) -> Iterator[Entry]:
    """Yield what stands in .aider.model.settings.yml."""
    for service, model in _talking(wiring):
        item: dict[str, Any] = {
            "name": name(model),
            "edit_format": "whole",
            "weak_model_name": name(model),
            "use_repo_map": True,
            "extra_params": {"api_base": service.openai, "api_key": NO_KEY},
        }
        yield Entry((Item("name", name(model)),), item, service=service.name)


def metadata(wiring: Wiring) -> Iterator[Entry]:
    """Yield what stands in .aider.model.metadata.json: limits in tokens, and no price."""
    for service, model in _talking(wiring):
        told = {
            "max_input_tokens": model.context,
            "max_output_tokens": model.answer,
            "max_tokens": model.answer,
            "input_cost_per_token": 0,
            "output_cost_per_token": 0,
            "litellm_provider": "openai",
            "mode": "chat",
        }
        yield Entry((name(model),), told, service=service.name)
