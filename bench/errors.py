"""What ends a measurement: a contestant that cannot be had, or that does not do what it should."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class BenchError(Exception):
    """The measurement failed, with its cause and a remedy, each without a full stop."""

    cause: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.cause}. {self.remedy}."
