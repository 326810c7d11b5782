"""The look at a host's NVIDIA cards, and at the driver packages that its apt knows."""

from __future__ import annotations

from pyinfra.api import FactBase

from tasks.nvidia.look import SCRIPT
from tasks.nvidia.observed import Nvidia
from tasks.run import Run


class NvidiaFacts(FactBase[Nvidia]):
    """The NVIDIA cards, their driver and what stands in its way."""

    @staticmethod
    def default() -> Nvidia:
        return Nvidia()

    def command(self) -> str:
        return SCRIPT

    def process(self, output: list[str]) -> Nvidia:
        return Nvidia.from_lines(output)


def observe_nvidia(run: Run) -> Nvidia:
    """Look at the cards, or return what was seen since the last change."""
    seen: Nvidia | None = run.memory.get(Nvidia)
    if seen is None:
        found = run.host.get_fact(NvidiaFacts, _sudo=False, _ignore_errors=True)
        seen = run.memory[Nvidia] = found
    return seen
