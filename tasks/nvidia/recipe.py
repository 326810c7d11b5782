"""Which packages of a distribution make a driver for the cards of a host. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tasks.host.observed import ObservedHost
from tasks.nvidia import messages
from tasks.nvidia.generations import BLACKWELL, TURING, is_too_old
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.packages import AptPackages
from tasks.words.messages import Text

# NVIDIA's announcements: from 560 on open modules wherever the card can have them; Blackwell came
# with 570 and has no others; 580 is the last branch for Maxwell, Pascal and Volta.
FIRST_GOOD_OPEN_BRANCH = 560
FIRST_BLACKWELL_BRANCH = 570
LAST_BRANCH_BEFORE_TURING = 580
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
# "6.8.0-79-generic" (Ubuntu), "6.1.0-40-cloud-amd64" and "6.12.48+deb13-amd64" (Debian).
_RELEASE = re.compile(r"[^-]+(?:-\d+)?-([a-z].*)")


@dataclass(frozen=True)
class Recipe:
    """`driver` is the package whose version is the driver's; `more` go with it.

    `prebuilt`: kernel modules that the distribution built and signed, which is what Secure Boot
    wants, the best first, each with the package of the kernel that it is for ("" for any); the
    first that fits is taken. `headers`: what modules are built with on the host, where none does.
    """

    driver: str
    more: tuple[str, ...] = ()
    prebuilt: tuple[tuple[str, str], ...] = ()
    headers: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Return every package that apt has to be asked about."""
        pairs = tuple(name for pair in self.prebuilt for name in pair if name)
        return (self.driver, *self.more, *pairs, *([self.headers] if self.headers else []))

    def modules(self, apt: AptPackages) -> str:
        """Return the package that brings the kernel modules, or lets them be built; "" for none."""
        for package, witness in self.prebuilt:
            if apt.candidate(package) and (not witness or apt.installed_version(witness)):
                return package
        return self.headers if apt.candidate(self.headers) else ""


def branch_of(minimum: str) -> int:
    """Return the branch of a version: 580 of "580.95"."""
    return int(minimum.partition(".")[0])


def is_turing_or_newer(nvidia: Nvidia) -> bool:
    """Tell whether all cards can have the open modules: one driver serves them all."""
    return all(card.device_id >= TURING for card in nvidia.cards)


def unfit(nvidia: Nvidia, minimum: str) -> tuple[Text, Text] | None:
    """Return why no driver of a branch serves all cards, and what to do; None where one does."""
    branch = branch_of(minimum)
    by_age = sorted(nvidia.cards, key=lambda card: card.device_id)
    old, new = by_age[0], by_age[-1]
    if is_too_old(old):
        cause = messages.BEFORE_MAXWELL(address=old.address, device=old.device)
        return cause, messages.TAKE_OUT_OLD()
    if old.device_id < TURING and new.device_id >= BLACKWELL:
        cause = messages.NO_COMMON_DRIVER(
            new=new.address, new_device=new.device, old=old.address, old_device=old.device
        )
        return cause, messages.TAKE_OUT_ONE()
    if old.device_id < TURING and branch > LAST_BRANCH_BEFORE_TURING:
        last = LAST_BRANCH_BEFORE_TURING
        cause = messages.BEFORE_TURING(device=old.device, last=last, minimum=minimum)
        return cause, messages.LOWER_MINIMUM(version=last)
    if new.device_id >= BLACKWELL and branch < FIRST_BLACKWELL_BRANCH:
        first = FIRST_BLACKWELL_BRANCH
        cause = messages.IS_BLACKWELL(device=new.device, first=first, minimum=minimum)
        return cause, messages.RAISE_MINIMUM(version=first)
    return None


def recipe_for(host: ObservedHost, nvidia: Nvidia, minimum: str) -> Recipe | None:
    """Return the packages for a host, None where its distribution or architecture has none."""
    architecture = ARCHITECTURES.get(host.architecture)
    branch = branch_of(minimum)
    is_open = is_turing_or_newer(nvidia) and branch >= FIRST_GOOD_OPEN_BRANCH
    match = _RELEASE.fullmatch(nvidia.kernel)
    flavour = match[1] if match else ""
    if architecture is None:
        return None
    if host.distribution.id == "ubuntu":
        return _ubuntu(f"{branch}{'-open' if is_open else ''}", flavour, host.distribution.version)
    if host.distribution.id == "debian":
        return _debian(is_open, flavour)
    return None


def _ubuntu(kind: str, flavour: str, version: str) -> Recipe:
    """Ubuntu names the branch; a kernel of the next release ("hwe") has modules of its own."""
    hwe = f"{flavour}-hwe-{version}"
    modules = f"linux-modules-nvidia-{kind}"
    prebuilt = (
        (f"{modules}-{hwe}", f"linux-image-{hwe}"),
        (f"{modules}-{flavour}", ""),
    )
    headers = f"linux-headers-{flavour}" if flavour else ""
    return Recipe(f"nvidia-driver-{kind}", prebuilt=prebuilt if flavour else (), headers=headers)


def _debian(is_open: bool, flavour: str) -> Recipe:
    """Debian has one branch, builds its modules on the host, and only recommends CUDA's library."""
    kernel = "nvidia-open-kernel-dkms" if is_open else "nvidia-kernel-dkms"
    more = (kernel, "nvidia-smi", "libcuda1", "nvidia-persistenced")
    return Recipe("nvidia-driver", more, headers=f"linux-headers-{flavour}" if flavour else "")
