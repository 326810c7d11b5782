"""The addresses under which a server is reached."""

from __future__ import annotations


def openai_url(url: str) -> str:
    """Return the base URL of the OpenAI side of a server, for clients that speak that."""
    return f"{url}/v1"
