"""Which environment variables and settings may hold a secret."""

from __future__ import annotations

from tasks.words.secrets.names import sounds_secret
from tasks.words.secrets.shapes import without_secrets

# Settings that are addresses: one may hold a password, with or without "http://".
ADDRESSES = ("_proxy", "_mirror", "_registry", "_url")
# Those that are private whatever they hold.
_PRIVATE = ("_proxy", "_url")
# The setting that holds variables.
VARIABLES = "environment"


def is_private(variable: str, value: str = "") -> bool:
    """Tell whether a variable's value may be a secret: any but an ordinary one of Ollama."""
    is_ordinary = variable.upper().startswith("OLLAMA_") and not sounds_secret(variable)
    return not is_ordinary or without_secrets(value) != value


def is_private_setting(path: str, value: object = "") -> bool:
    """Tell whether the value of a setting, by its dotted path, may hold a secret."""
    keys = path.split(".")
    if VARIABLES in keys or any(key.endswith(_PRIVATE) for key in keys):
        return True
    return any(key.endswith(ADDRESSES) for key in keys) and "@" in str(value)
