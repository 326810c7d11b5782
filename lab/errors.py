"""The one error that reaches the user: what failed and what to do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class LabError(Exception):
    """A lab step failed, with its cause and a remedy, each a sentence without a full stop."""

    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}. {self.remedy}."
