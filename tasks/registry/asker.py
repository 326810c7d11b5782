"""Who asks registries for a run, and what they answered already in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tasks.registry.manifests import Asker
from tasks.run.run import Run


@dataclass
class Manifests:
    """What registries answered in this run, by kind and name."""

    answered: dict[tuple[str, str], Any] = field(default_factory=dict)


def asker_of(run: Run) -> Asker:
    """Return who asks registries for a run; each thing is asked once in it."""
    return Asker(run.stack, run.shell, run.seen.lasting(Manifests, Manifests).answered)
