"""The look at a host's NVIDIA cards, and at the driver packages that its apt knows."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.nvidia.look import SCRIPT
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.packages import AptPackages
from tasks.run.run import Run
from tasks.run.unforeseen import look
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


def observe_nvidia(run: Run) -> Nvidia:
    """Look at the cards, or return what was seen since the last change."""
    what, parse = "the NVIDIA cards", Nvidia.from_lines
    return run.seen.once(Nvidia, lambda: look(run, what, SCRIPT, parse, Nvidia()))


def packages_script(names: Iterable[str]) -> str:
    """Build what asks apt about some packages."""
    return PACKAGES_SCRIPT.replace("@NAMES@", quote(*names))


def observe_packages(run: Run, names: Iterable[str]) -> AptPackages:
    """Ask apt about the packages of a driver, or return what it said since the last change."""
    what, parse = "the packages of a driver", AptPackages.from_lines
    script = packages_script(names)
    return run.seen.once(AptPackages, lambda: look(run, what, script, parse, AptPackages()))
