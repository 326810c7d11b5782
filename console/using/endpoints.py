"""Where services answer, as clients want it. Pure: of the declaration alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tasks.declared.addresses import openai_url
from tasks.declared.stack import Service


def endpoints(services: Iterable[Service]) -> list[dict[str, Any]]:
    """Return the addresses and models of services; the main model is the first."""
    return [
        {
            "service": service.name,
            "role": service.role,
            "active": service.active,
            "ollama": service.url,
            "openai": openai_url(service.url),
            "models": list(service.models),
        }
        for service in services
    ]


def lines(found: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield them for people, each value at the end of a line of its own, to be copied."""
    for one in found:
        yield one["service"] if one["active"] else f"{one['service']} (declared inactive)"
        yield f"  Ollama  {one['ollama']}"
        yield f"  OpenAI  {one['openai']}"
        for model in one["models"]:
            yield f"  model   {model}"
