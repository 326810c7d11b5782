"""Which environment variables may hold a secret."""

from __future__ import annotations

from tasks.words.secrets.names import sounds_secret
from tasks.words.secrets.shapes import without_secrets


def is_private(variable: str, value: str = "") -> bool:
    """Tell whether a variable's value may be a secret: any but an ordinary one of Ollama."""
    is_ordinary = variable.upper().startswith("OLLAMA_") and not sounds_secret(variable)
    return not is_ordinary or without_secrets(value) != value
