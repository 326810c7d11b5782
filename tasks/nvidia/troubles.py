"""What can stand in the way of a GPU, each with its cause and its remedy. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.declared.stack import Stack
from tasks.nvidia.generations import LEAST_CAPABILITY, has_only_old
from tasks.nvidia.observed import Nvidia
from tasks.words.versions import older

NOUVEAU = ("nouveau", "nova_core", "nova")
TOO_OLD = "the card is too old for Ollama"
# What nvidia-smi of 470 and older says to a question for the compute capability.
_UNKNOWN_FIELD = "is not a valid field to query"
REBOOT = "the NVIDIA driver needs a reboot"
HANDS = "the GPU is in other hands"
INSTALL = 'set driver = "install", or sudo ubuntu-drivers install (Debian: sudo apt-get install'


@dataclass(frozen=True)
class Trouble:
    """Why the GPU cannot be used. `is_passing`: the containers that have it now still work with it,
    and after the remedy all is well again."""

    what: str
    cause: str
    remedy: str
    is_passing: bool = False


NO_CARD = Trouble(
    "no NVIDIA GPU",
    "there is no NVIDIA card on the PCI bus",
    'check the card and its power cable, or set gpu = "auto" to use the CPU',
)


def too_old(nvidia: Nvidia) -> Trouble | None:
    """Cards of which Ollama can use none; a newer driver would take them from who uses them."""
    if not has_only_old(nvidia):
        return None
    which = " and ".join(f"{c.address} (device {c.device})" for c in nvidia.cards) or " and ".join(
        f"{gpu.name} (compute capability {gpu.compute_capability})" for gpu in nvidia.gpus
    )
    cause = f"{which}: Ollama needs compute capability {LEAST_CAPABILITY}, so Maxwell or newer"
    remedy = 'set gpu = "off" (or "auto") and use the CPU; card and driver are left as they are'
    return Trouble(TOO_OLD, cause, remedy)


def held(nvidia: Nvidia) -> Trouble | None:
    """A card in the hands of another module than NVIDIA's."""
    other = next((c for c in nvidia.cards if c.driver and c.driver != "nvidia"), None)
    name = other.driver if other else next(iter(nvidia.modules & set(NOUVEAU)), "")
    if not name or "nvidia" in {c.driver for c in nvidia.cards}:
        return None
    where = f" ({other.address})" if other else ""
    if name not in NOUVEAU:
        cause = f"the module {name} holds the card{where}, as it does for virtual machines"
        return Trouble(HANDS, cause, f"give it back: unbind it from {name}")
    cause = f"the open module {name} holds the card{where}, and only NVIDIA's driver runs CUDA"
    if nvidia.on_disk and nvidia.is_fresh:
        return waits_for_reboot(f"{cause}; the driver {nvidia.on_disk} was installed just now")
    steps = f"{INSTALL} nvidia-driver), then "
    if nvidia.on_disk:
        steps = (
            f"echo 'blacklist {name}' | sudo tee /etc/modprobe.d/blacklist-{name}.conf, "
            "sudo update-initramfs -u, then "
        )
    return Trouble(HANDS, cause, f"{steps}sudo reboot")


def waits_for_reboot(cause: str) -> Trouble:
    """A driver that is on the disk, and not yet in the kernel."""
    return Trouble(REBOOT, cause, "reboot the host: sudo reboot, then run again", is_passing=True)


def locked_out(nvidia: Nvidia) -> Trouble | None:
    """Secure Boot keeps a driver out whose key it does not know."""
    if nvidia.is_loaded or nvidia.is_fresh or not nvidia.on_disk or not nvidia.has_secure_boot:
        return None
    cause = (
        f"the driver {nvidia.on_disk} is installed and not loaded, and Secure Boot is on: it "
        "refuses a module whose key is not enrolled (sudo modprobe nvidia then says so)"
    )
    remedy = (
        "sudo mokutil --import /var/lib/shim-signed/mok/MOK.der (Debian: /var/lib/dkms/mok.pub), "
        "sudo reboot, and choose Enroll MOK in the blue screen"
    )
    return Trouble("the NVIDIA driver is not loaded", cause, remedy)


def absent(nvidia: Nvidia) -> Trouble | None:
    """No driver at all."""
    if nvidia.is_loaded or nvidia.on_disk:
        return None
    remedy = f"{INSTALL} nvidia-driver), then sudo reboot"
    return Trouble("no NVIDIA driver", "there is an NVIDIA card and no driver for it", remedy)


def not_loaded(nvidia: Nvidia) -> Trouble | None:
    """A driver on the disk that the kernel does not run."""
    if nvidia.is_loaded:
        return None
    cause = f"the driver {nvidia.on_disk} is installed and not loaded"
    if nvidia.is_fresh:
        return waits_for_reboot(f"{cause}; it came after this system had started")
    remedy = (
        "sudo modprobe nvidia, and read sudo dmesg where that fails; after an update: sudo reboot"
    )
    return Trouble("the NVIDIA driver is not loaded", cause, remedy)


def mismatched(nvidia: Nvidia) -> Trouble | None:
    """Libraries that were replaced under a driver that is still loaded (fault 4)."""
    if not nvidia.is_mismatched:
        return None
    loaded = nvidia.loaded or "an older version"
    installed = f" (on disk is {nvidia.on_disk})" if nvidia.on_disk else ""
    cause = f"the driver was updated and the kernel still runs {loaded}{installed}"
    remedy = "reboot the host: sudo reboot; nothing was recreated"
    return Trouble(REBOOT, cause, remedy, is_passing=True)


def silent(nvidia: Nvidia) -> Trouble | None:
    """The driver is loaded, and nvidia-smi shows no card."""
    if nvidia.gpus:
        return None
    if nvidia.status is None:
        cause = f"the driver {nvidia.loaded} is loaded and nvidia-smi is missing"
        branch = nvidia.loaded.partition(".")[0] or "VERSION"
        remedy = f"sudo apt-get install nvidia-utils-{branch} (Debian: nvidia-smi)"
        return Trouble("nvidia-smi is missing", cause, remedy)
    said = nvidia.error or f"it ended with {nvidia.status} and said nothing"
    if nvidia.status in (124, 137):
        said = "it did not answer within 20 s"
    cause = f"the driver {nvidia.loaded} is loaded and nvidia-smi shows no card: {said}"
    remedy = "read sudo dmesg | grep NVRM; sudo reboot"
    return Trouble("the GPU does not answer", cause, remedy, is_passing=True)


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
    cause = f"the driver is {driver}, and driver_minimum is {stack.driver_minimum}"
    remedy = (
        f"install a newer one: {INSTALL} nvidia-driver), then sudo reboot; "
        "or lower driver_minimum, if your image can live with it"
    )
    return Trouble("the NVIDIA driver is too old", cause, remedy)


def outdated_cuda(nvidia: Nvidia, stack: Stack) -> Trouble | None:
    """A CUDA below the declared minimum (fault 6); an unknown one is not judged."""
    if not nvidia.cuda or not older(nvidia.cuda, stack.cuda_minimum):
        return None
    cause = (
        f"the driver {nvidia.driver} brings CUDA {nvidia.cuda}, "
        f"and cuda_minimum is {stack.cuda_minimum}"
    )
    remedy = (
        "install a newer driver: sudo ubuntu-drivers install, then sudo reboot; "
        "or lower cuda_minimum, if your image can live with it"
    )
    return Trouble("CUDA is too old", cause, remedy)
