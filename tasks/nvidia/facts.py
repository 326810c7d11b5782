"""The look at a host's NVIDIA cards, and at the driver packages that its apt knows."""

from __future__ import annotations

from collections.abc import Iterable

from pyinfra.api import FactBase

from tasks.nvidia.look import SCRIPT
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.packages import AptPackages
from tasks.run.boundary import looked
from tasks.run.run import Run
from tasks.shell.local import quote
from tasks.shell.output import PRELUDE

PACKAGES_SCRIPT = (
    PRELUDE
    + r"""
echo '##policy'
apt-cache policy @NAMES@ 2>/dev/null
echo '##lists'
ls /var/lib/apt/lists 2>/dev/null | grep -q '_Packages' && echo lists=yes
true"""
)


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
        found = looked(
            run,
            "the NVIDIA cards",
            lambda: run.host.get_fact(NvidiaFacts, _sudo=False, _ignore_errors=True),
            Nvidia(),
        )
        seen = run.memory[Nvidia] = found
    return seen


class PackageFacts(FactBase[AptPackages]):
    """What apt knows of some packages, by the lists that are there."""

    @staticmethod
    def default() -> AptPackages:
        return AptPackages()

    def command(self, names: Iterable[str]) -> str:
        return PACKAGES_SCRIPT.replace("@NAMES@", quote(*names))

    def process(self, output: list[str]) -> AptPackages:
        return AptPackages.from_lines(output)


def observe_packages(run: Run, names: Iterable[str]) -> AptPackages:
    """Ask apt about the packages of a driver, or return what it said since the last change."""
    seen: AptPackages | None = run.memory.get(AptPackages)
    if seen is None:
        asked = {"names": tuple(names), "_sudo": False, "_ignore_errors": True}
        found = looked(
            run,
            "the packages of a driver",
            lambda: run.host.get_fact(PackageFacts, **asked),
            AptPackages(),
        )
        seen = run.memory[AptPackages] = found
    return seen
