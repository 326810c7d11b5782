"""What has to be installed so that there is a driver, and what stands in its way. Pure.

Nothing here ever reboots: a driver that was installed works after a reboot by a person.
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.declared.stack import Stack
from tasks.host.access import root_needed
from tasks.host.observed import ObservedHost
from tasks.nvidia import messages
from tasks.nvidia.generations import has_only_old, unknown_card
from tasks.nvidia.observed import Card, Nvidia
from tasks.nvidia.packages import AptPackages
from tasks.nvidia.recipe import Recipe, recipe_for, unfit
from tasks.nvidia.troubles import NOUVEAU
from tasks.words.failures import Failure
from tasks.words.messages import THIS_SYSTEM, Text
from tasks.words.steps import Action, Step
from tasks.words.versions import older, upstream

# In the place of a service, and no name for one: what fails here stops no service that can do
# without the GPU.
PART = "NVIDIA"
WHAT = "the NVIDIA driver cannot be installed"


@dataclass(frozen=True)
class DriverState:
    """How it stands with the installation; empty where nothing is to be done or nothing asked for.

    `packages` are what `step` installs. `reboot` tells why a reboot is due, where the packages are
    there and the running kernel has no module of them.
    """

    step: Step | None = None
    packages: tuple[str, ...] = ()
    failure: Failure | None = None
    reboot: Text | None = None


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
    misfit = unfit(nvidia, stack.driver_minimum)
    if misfit is not None:
        return _obstructed(*misfit)
    strange = unknown_card(nvidia)
    if strange is not None and present_driver(nvidia):
        return _not_known(strange, present_driver(nvidia), stack)
    if nvidia.has_installer and (nvidia.on_disk or nvidia.loaded):
        return _obstructed(messages.RUN_INSTALLER(), messages.UNINSTALL())
    candidate = apt.candidate(recipe.driver)
    if apt.has_lists and not candidate:
        return _missing(host, recipe)
    if candidate and older(upstream(candidate), stack.driver_minimum):
        return _too_old(host, recipe, candidate, stack)
    if apt.has_lists and not recipe.modules(apt):
        cause = messages.NO_HEADERS(kernel=nvidia.kernel)
        return _obstructed(cause, messages.OTHER_KERNEL(system=_name(host)))
    if not host.can_be_root:
        return root_needed(host, f"{WHAT}: it needs root")
    return None


def _obstructed(cause: Text, remedy: Text) -> Failure:
    return Failure(WHAT, cause, messages.OR_CHECK(remedy=remedy))


def _not_known(card: Card, present: str, stack: Stack) -> Failure:
    """Nothing is put over a driver that may be the one that the card needs."""
    cause = messages.UNKNOWN_CARD(
        minimum=stack.driver_minimum, address=card.address, device=card.device, present=present
    )
    return _obstructed(cause, messages.LOOK_UP_CARD(device=card.device.removeprefix("0x")))


def _name(host: ObservedHost) -> str:
    return host.distribution.pretty_name or THIS_SYSTEM()


def _by_hand(host: ObservedHost) -> Failure:
    architecture = host.architecture or messages.UNKNOWN_ARCHITECTURE()
    cause = messages.UNKNOWN_SYSTEM(system=_name(host), architecture=architecture)
    return _obstructed(cause, messages.BY_HAND())


def _unseen(package: str, version: str, nvidia: Nvidia) -> Text:
    return messages.NO_MODULE(package=package, version=upstream(version), kernel=nvidia.kernel)


def _missing(host: ObservedHost, recipe: Recipe) -> Failure:
    cause = messages.NOT_PACKAGED(system=_name(host), package=recipe.driver)
    is_debian = host.distribution.id == "debian"
    enable = messages.ENABLE_NON_FREE() if is_debian else messages.ENABLE_RESTRICTED()
    return _obstructed(cause, enable)


def _too_old(host: ObservedHost, recipe: Recipe, candidate: str, stack: Stack) -> Failure:
    cause = messages.OLD_PACKAGE(
        package=recipe.driver,
        system=_name(host),
        version=upstream(candidate),
        minimum=stack.driver_minimum,
    )
    return Failure(WHAT, cause, messages.OTHER_REPOSITORY())
