"""Faults of the registries, put in force and taken back by nginx's configuration."""

from __future__ import annotations

from lab.nginx import Trouble
from lab.state import LabState


def trouble_of(lab: LabState) -> Trouble:
    """Return the trouble that the state asks for."""
    return Trouble()
