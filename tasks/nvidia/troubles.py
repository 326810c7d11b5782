"""What can stand in the way of a GPU, each with its cause and its remedy. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.declared.stack import Stack
from tasks.nvidia import messages
from tasks.nvidia.generations import LEAST_CAPABILITY, has_only_old
from tasks.nvidia.observed import Nvidia
from tasks.words.failures import Failure
from tasks.words.messages import Text
from tasks.words.versions import older

NOUVEAU = ("nouveau", "nova_core", "nova")
TOO_OLD = "the card is too old for Ollama"
# What nvidia-smi of 470 and older says to a question for the compute capability.
_UNKNOWN_FIELD = "is not a valid field to query"
REBOOT = "the NVIDIA driver needs a reboot"
HANDS = "the GPU is in other hands"


@dataclass(frozen=True)
class Trouble(Failure):
    """Why the GPU cannot be used. `is_passing`: the containers that have it now still work with it,
    and after the remedy all is well again."""

    is_passing: bool = False


NO_CARD = Trouble("no NVIDIA GPU", messages.NO_CARD(), messages.CHECK_CARD())


def too_old(nvidia: Nvidia) -> Trouble | None:
    """Cards of which Ollama can use none; a newer driver would take them from who uses them."""
    if not has_only_old(nvidia):
        return None
    which = " and ".join(f"{c.address} (device {c.device})" for c in nvidia.cards) or " and ".join(
        f"{gpu.name} (compute capability {gpu.compute_capability})" for gpu in nvidia.gpus
    )
    cause = messages.TOO_OLD(cards=which, least=LEAST_CAPABILITY)
    return Trouble(TOO_OLD, cause, messages.USE_CPU())


def held(nvidia: Nvidia) -> Trouble | None:
    """A card in the hands of another module than NVIDIA's."""
    other = next((c for c in nvidia.cards if c.driver and c.driver != "nvidia"), None)
    name = other.driver if other else next(iter(nvidia.modules & set(NOUVEAU)), "")
    if not name or "nvidia" in {c.driver for c in nvidia.cards}:
        return None
    where = f" ({other.address})" if other else ""
    if name not in NOUVEAU:
        cause = messages.HELD_BY_OTHER(name=name, where=where)
        return Trouble(HANDS, cause, messages.GIVE_BACK(name=name))
    cause = messages.HELD_BY_NOUVEAU(name=name, where=where)
    if nvidia.on_disk and nvidia.is_fresh:
        return waits_for_reboot(messages.JUST_INSTALLED(cause=cause, version=nvidia.on_disk))
    if nvidia.on_disk:
        return Trouble(HANDS, cause, messages.BLACKLIST(name=name))
    return Trouble(HANDS, cause, messages.INSTALL_DRIVER())


def waits_for_reboot(cause: Text) -> Trouble:
    """A driver that is on the disk, and not yet in the kernel."""
    return Trouble(REBOOT, cause, messages.REBOOT(), is_passing=True)


def locked_out(nvidia: Nvidia) -> Trouble | None:
    """Secure Boot keeps a driver out whose key it does not know."""
    if nvidia.is_loaded or nvidia.is_fresh or not nvidia.on_disk or not nvidia.has_secure_boot:
        return None
    cause = messages.LOCKED_OUT(version=nvidia.on_disk)
    return Trouble("the NVIDIA driver is not loaded", cause, messages.ENROLL_KEY())


def absent(nvidia: Nvidia) -> Trouble | None:
    """No driver at all."""
    if nvidia.is_loaded or nvidia.on_disk:
        return None
    return Trouble("no NVIDIA driver", messages.NO_DRIVER(), messages.INSTALL_DRIVER())


def not_loaded(nvidia: Nvidia) -> Trouble | None:
    """A driver on the disk that the kernel does not run."""
    if nvidia.is_loaded:
        return None
    cause = messages.NOT_LOADED(version=nvidia.on_disk)
    if nvidia.is_fresh:
        return waits_for_reboot(messages.CAME_LATER(cause=cause))
    return Trouble("the NVIDIA driver is not loaded", cause, messages.LOAD_DRIVER())


def mismatched(nvidia: Nvidia) -> Trouble | None:
    """Libraries that were replaced under a driver that is still loaded (fault 4)."""
    if not nvidia.is_mismatched:
        return None
    loaded = nvidia.loaded or messages.OLDER_VERSION()
    installed = messages.ON_DISK(version=nvidia.on_disk) if nvidia.on_disk else ""
    cause = messages.MISMATCHED(loaded=loaded, installed=installed)
    return Trouble(REBOOT, cause, messages.ONLY_REBOOT(), is_passing=True)


def silent(nvidia: Nvidia) -> Trouble | None:
    """The driver is loaded, and nvidia-smi shows no card."""
    if nvidia.gpus:
        return None
    if nvidia.status is None:
        branch = nvidia.loaded.partition(".")[0] or "VERSION"
        return Trouble(
            "nvidia-smi is missing",
            messages.NO_SMI(version=nvidia.loaded),
            messages.INSTALL_SMI(branch=branch),
        )
    said = nvidia.error or messages.SAID_NOTHING(status=nvidia.status)
    if nvidia.status in (124, 137):
        said = messages.NO_ANSWER()
    cause = messages.SILENT(version=nvidia.loaded, said=said)
    return Trouble("the GPU does not answer", cause, messages.READ_KERNEL(), is_passing=True)


def ancient(nvidia: Nvidia, stack: Stack) -> Trouble | None:
    """A driver whose nvidia-smi does not know what it is asked, which says nothing of the card."""
    if _UNKNOWN_FIELD not in nvidia.error or not older(nvidia.loaded, stack.driver_minimum):
        return None
    return _outdated(nvidia.loaded, stack)


def outdated(nvidia: Nvidia, stack: Stack) -> Trouble | None:
    """A driver below the declared minimum (fault 6)."""
    if not older(nvidia.driver, stack.driver_minimum):
        return None
    return _outdated(nvidia.driver, stack)


def _outdated(driver: str, stack: Stack) -> Trouble:
    cause = messages.OLD_DRIVER(version=driver, minimum=stack.driver_minimum)
    remedy = messages.NEWER_DRIVER(install=messages.INSTALL_DRIVER())
    return Trouble("the NVIDIA driver is too old", cause, remedy)


def outdated_cuda(nvidia: Nvidia, stack: Stack) -> Trouble | None:
    """A CUDA below the declared minimum (fault 6); an unknown one is not judged."""
    if not nvidia.cuda or not older(nvidia.cuda, stack.cuda_minimum):
        return None
    cause = messages.OLD_CUDA(version=nvidia.driver, cuda=nvidia.cuda, minimum=stack.cuda_minimum)
    return Trouble("CUDA is too old", cause, messages.NEWER_CUDA())
