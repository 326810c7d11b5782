"""Digests and IDs, as people see them."""

from __future__ import annotations

SHOWN = 12


def short(digest: str) -> str:
    """Return the first 12 digits of a digest or an ID, as Docker shows it, without "sha256:"."""
    return digest.rpartition(":")[2][:SHOWN]
