"""What a person has to mend, in two sentences."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trouble:
    """Something that a person has to mend: cause and remedy."""

    cause: str
    remedy: str


def fault(error: Exception) -> Trouble:
    """Put what nobody foresaw into words: a thread that ended by it would leave a silent app."""
    cause = f"{type(error).__name__}: {error}"
    return Trouble(cause, "a fault of ollama-stack: please report it")
