"""What has to be installed so that there is a driver, and what stands in its way. Pure.

Nothing here ever reboots: a driver that was installed works after a reboot by a person.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.declared.stack import Stack
from tasks.host.access import root_needed
from tasks.host.observed import ObservedHost
from tasks.nvidia.generations import has_only_old, unknown_card
from tasks.nvidia.observed import Card, Nvidia
from tasks.nvidia.packages import AptPackages
from tasks.nvidia.recipe import Recipe, recipe_for, unfit
from tasks.nvidia.troubles import NOUVEAU
from tasks.words.steps import Action, Failure, Step
from tasks.words.versions import older, upstream

# In the place of a service, and no name for one: what fails here stops no service that can do
# without the GPU.
PART = "NVIDIA"
WHAT = "the NVIDIA driver cannot be installed"
OR_CHECK = 'or set driver = "check"'


@dataclass(frozen=True)
class DriverState:
    """How it stands with the installation; empty where nothing is to be done or nothing asked for.

    `packages` are what `step` installs. `reboot` tells why a reboot is due, where the packages are
    there and the running kernel has no module of them.
    """

    step: Step | None = None
    packages: tuple[str, ...] = ()
    failure: Failure | None = None
    reboot: str = ""


def wants_driver(nvidia: Nvidia, stack: Stack) -> bool:
    """Tell whether a driver is to be installed: there is a card, and none that is new enough.

    Cards that Ollama cannot use are left alone, with the old driver that they need.
    """
    if stack.driver != "install" or not stack.has_gpu_service or not nvidia.cards:
        return False
    if has_only_old(nvidia):
        return False
    if all(card.driver not in ("", "nvidia", *NOUVEAU) for card in nvidia.cards):
        return False
    present = present_driver(nvidia)
    return not present or older(present, stack.driver_minimum)


def present_driver(nvidia: Nvidia) -> str:
    """Return the version of the driver that is here, "" for none."""
    return nvidia.on_disk or nvidia.driver or nvidia.loaded


def driver_state(
    nvidia: Nvidia, host: ObservedHost, apt: AptPackages | None, stack: Stack
) -> DriverState:
    """Plan. `apt` is what the host's apt says of the names of `recipe_for`."""
    if not wants_driver(nvidia, stack):
        return DriverState()
    recipe = recipe_for(host, nvidia, stack.driver_minimum)
    if recipe is None or not host.apt:
        return DriverState(failure=_by_hand(host))
    apt = apt or AptPackages()
    installed = apt.installed_version(recipe.driver)
    if installed and not older(upstream(installed), stack.driver_minimum):
        return DriverState(reboot=_unseen(recipe.driver, installed, nvidia))
    failure = _obstacle(nvidia, host, recipe, apt, stack)
    if failure is not None:
        return DriverState(failure=failure)
    modules = recipe.modules(apt)
    packages = (recipe.driver, *recipe.more, *([modules] if modules else []))
    return DriverState(_step(nvidia, recipe, apt, packages), packages)


def _step(nvidia: Nvidia, recipe: Recipe, apt: AptPackages, packages: tuple[str, ...]) -> Step:
    candidate = upstream(apt.candidate(recipe.driver))
    present = present_driver(nvidia)
    new = candidate or "a newer one"
    why = f"driver {present} → {new}" if present else "there is an NVIDIA card and no driver for it"
    return Step(
        Action.INSTALL_DRIVER,
        recipe.driver,
        f"install driver{f' {candidate}' if candidate else ''}: {', '.join(packages)}",
        f"{why}; a reboot is due then",
        service=PART,
    )


def _obstacle(
    nvidia: Nvidia, host: ObservedHost, recipe: Recipe, apt: AptPackages, stack: Stack
) -> Failure | None:
    """Return why it cannot be done. Without package lists the candidates show after an update."""
    cause, remedy = unfit(nvidia, stack.driver_minimum)
    if cause:
        return Failure(WHAT, cause, f"{remedy}; {OR_CHECK}")
    strange = unknown_card(nvidia)
    if strange is not None and present_driver(nvidia):
        return _not_known(strange, present_driver(nvidia), stack)
    if nvidia.has_installer and (nvidia.on_disk or nvidia.loaded):
        cause = "the driver here came from NVIDIA's own .run installer, and packages would break it"
        return Failure(WHAT, cause, f"sudo nvidia-uninstall, then run again; {OR_CHECK}")
    candidate = apt.candidate(recipe.driver)
    if apt.has_lists and not candidate:
        return _missing(host, recipe)
    if candidate and older(upstream(candidate), stack.driver_minimum):
        return _too_old(host, recipe, candidate, stack)
    if apt.has_lists and not recipe.modules(apt):
        cause = f"apt has neither NVIDIA's modules nor headers for the kernel {nvidia.kernel}"
        remedy = f"boot a kernel of {_name(host)}, or install the driver by hand; {OR_CHECK}"
        return Failure(WHAT, cause, remedy)
    if not host.can_be_root:
        return root_needed(host, f"{WHAT}: it needs root")
    return None


def _not_known(card: Card, present: str, stack: Stack) -> Failure:
    """Nothing is put over a driver that may be the one that the card needs."""
    cause = (
        f"nobody here knows whether the driver {stack.driver_minimum} knows the card at"
        f" {card.address} (device {card.device}), and the driver {present} is there for it"
    )
    remedy = (
        f'look for {card.device.removeprefix("0x")} in "Supported NVIDIA GPU Products" of that'
        " driver's README (nvidia.com/drivers), and install it by hand if it is there"
    )
    return Failure(WHAT, cause, f"{remedy}; {OR_CHECK}")


def _name(host: ObservedHost) -> str:
    return host.distribution.pretty_name or "this system"


def _by_hand(host: ObservedHost) -> Failure:
    where = f"{_name(host)} on {host.architecture or 'an unknown architecture'}"
    cause = f"which packages make a driver is known of Ubuntu and Debian only, not of {where}"
    return Failure(WHAT, cause, f"install it by hand, then sudo reboot; {OR_CHECK}")


def _unseen(package: str, version: str, nvidia: Nvidia) -> str:
    return (
        f"{package} {upstream(version)} is installed, and the running kernel {nvidia.kernel} "
        "has no module of it (if a reboot does not help: sudo dkms status)"
    )


def _missing(host: ObservedHost, recipe: Recipe) -> Failure:
    cause = f"apt of {_name(host)} has no {recipe.driver}"
    enable = "enable the component restricted (sudo add-apt-repository restricted)"
    if host.distribution.id == "debian":
        enable = "add contrib non-free non-free-firmware to the components in /etc/apt"
    return Failure(WHAT, cause, f"{enable}, sudo apt-get update, then run again; {OR_CHECK}")


def _too_old(host: ObservedHost, recipe: Recipe, candidate: str, stack: Stack) -> Failure:
    cause = (
        f"{recipe.driver} of {_name(host)} is {upstream(candidate)}, "
        f"and driver_minimum is {stack.driver_minimum}"
    )
    remedy = (
        "sudo apt-get update, if its lists are old; or add NVIDIA's own repository "
        "(docs.nvidia.com/datacenter/tesla/driver-installation-guide); or lower driver_minimum and "
        "cuda_minimum, if your image can live with it"
    )
    return Failure(WHAT, cause, remedy)
