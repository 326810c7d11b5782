"""May containers use the GPU of this host? Judged from what is there and what is declared."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.nvidia.observed import Gpu, Nvidia
from tasks.stack import Stack
from tasks.steps import Failure

NOUVEAU = ("nouveau", "nova_core", "nova")


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


@dataclass(frozen=True)
class Verdict:
    """What may be done with the GPU.

    `usable`: containers get the GPU. `hold`: it works again after a reboot, so containers that have
    it keep it and nothing is recreated for its sake. `failures` only where the GPU is required.
    """

    usable: bool = False
    hold: bool = False
    gpus: tuple[Gpu, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def verdict(nvidia: Nvidia, stack: Stack) -> Verdict:
    """Judge. Where no active service wants the GPU, nothing is looked at and nothing is said."""
    if not stack.has_gpu_service:
        return Verdict()
    trouble = diagnose(nvidia, stack)
    if trouble is None:
        return Verdict(usable=True, gpus=nvidia.gpus, notes=_reboot_note(nvidia))
    failures = tuple(
        Failure(trouble.what, trouble.cause, trouble.remedy, service)
        for service in requiring(stack)
    )
    notes = () if failures else (_cpu_note(trouble),)
    return Verdict(False, trouble.is_passing, nvidia.gpus, failures, notes)


def requiring(stack: Stack) -> tuple[str, ...]:
    """Return who requires the GPU: ("",) for every active service, names for some, () for none."""
    active = [s for s in stack.services if s.active]
    names = tuple(s.name for s in active if s.gpu == "required")
    return ("",) if names and len(names) == len(active) else names


def diagnose(nvidia: Nvidia, stack: Stack) -> Trouble | None:
    """Return what stands in the way of the GPU, None where nothing does."""
    if nvidia.is_mismatched:
        return _mismatch(nvidia)
    if nvidia.gpus:
        return _too_old(nvidia, stack)
    if not nvidia.cards and not nvidia.modules:
        return NO_CARD
    return _held(nvidia) or _not_loaded(nvidia) or _silent(nvidia)


def _mismatch(nvidia: Nvidia) -> Trouble:
    loaded = nvidia.loaded or "an older version"
    installed = f" (on disk is {nvidia.on_disk})" if nvidia.on_disk else ""
    cause = f"the driver was updated and the kernel still runs {loaded}{installed}"
    remedy = "reboot the host: sudo reboot; nothing was recreated"
    return Trouble("the NVIDIA driver needs a reboot", cause, remedy, is_passing=True)


def _held(nvidia: Nvidia) -> Trouble | None:
    """A card in the hands of another module than NVIDIA's."""
    other = next((c for c in nvidia.cards if c.driver and c.driver != "nvidia"), None)
    name = other.driver if other else next(iter(nvidia.modules & set(NOUVEAU)), "")
    if not name or "nvidia" in {c.driver for c in nvidia.cards}:
        return None
    where = f" ({other.address})" if other else ""
    if name not in NOUVEAU:
        cause = f"the module {name} holds the card{where}, as it does for virtual machines"
        return Trouble("the GPU is in other hands", cause, f"give it back: unbind it from {name}")
    cause = f"the open module {name} holds the card{where}, and only NVIDIA's driver runs CUDA"
    steps = "sudo ubuntu-drivers install (Debian: sudo apt-get install nvidia-driver), then "
    if nvidia.on_disk:
        steps = (
            f"echo 'blacklist {name}' | sudo tee /etc/modprobe.d/blacklist-{name}.conf, "
            "sudo update-initramfs -u, then "
        )
    return Trouble("the GPU is in other hands", cause, f"{steps}sudo reboot")


def _not_loaded(nvidia: Nvidia) -> Trouble | None:
    if "nvidia" in nvidia.modules:
        return None
    if not nvidia.on_disk:
        cause = "there is an NVIDIA card and no driver for it"
        remedy = "sudo ubuntu-drivers install (Debian: sudo apt-get install nvidia-driver), "
        return Trouble("no NVIDIA driver", cause, f"{remedy}then sudo reboot")
    if nvidia.has_secure_boot:
        cause = (
            f"the driver {nvidia.on_disk} is installed and not loaded, and Secure Boot is on: it "
            "refuses a module whose key is not enrolled (sudo modprobe nvidia then says so)"
        )
        remedy = (
            "sudo mokutil --import /var/lib/shim-signed/mok/MOK.der "
            "(Debian: /var/lib/dkms/mok.pub), "
            "sudo reboot, and choose Enroll MOK in the blue screen"
        )
        return Trouble("the NVIDIA driver is not loaded", cause, remedy)
    cause = f"the driver {nvidia.on_disk} is installed and not loaded"
    remedy = (
        "sudo modprobe nvidia, and read sudo dmesg where that fails; after an update: sudo reboot"
    )
    return Trouble("the NVIDIA driver is not loaded", cause, remedy)


def _silent(nvidia: Nvidia) -> Trouble:
    """The driver is loaded, and nvidia-smi shows no card."""
    if nvidia.status is None:
        cause = f"the driver {nvidia.loaded} is loaded and nvidia-smi is missing"
        branch = nvidia.loaded.partition(".")[0] or "VERSION"
        remedy = f"sudo apt-get install nvidia-utils-{branch} (Debian: nvidia-smi)"
        return Trouble("nvidia-smi is missing", cause, remedy)
    said = nvidia.error or f"it ended with {nvidia.status} and said nothing"
    if nvidia.status in (124, 137):
        said = "it did not answer within 20 s"
    cause = f"the driver {nvidia.loaded} is loaded and nvidia-smi shows no card: {said}"
    return Trouble("the GPU does not answer", cause, "read sudo dmesg | grep NVRM; sudo reboot")


def _too_old(nvidia: Nvidia, stack: Stack) -> Trouble | None:
    if older(nvidia.driver, stack.driver_minimum):
        cause = f"the driver is {nvidia.driver}, and driver_minimum is {stack.driver_minimum}"
        remedy = (
            "install a newer one: sudo ubuntu-drivers install, then sudo reboot; "
            "or lower driver_minimum, if your image can live with it"
        )
        return Trouble("the NVIDIA driver is too old", cause, remedy)
    if nvidia.cuda and older(nvidia.cuda, stack.cuda_minimum):
        cause = (
            f"the driver {nvidia.driver} brings CUDA {nvidia.cuda}, "
            f"and cuda_minimum is {stack.cuda_minimum}"
        )
        remedy = (
            "install a newer driver: sudo ubuntu-drivers install, then sudo reboot; "
            "or lower cuda_minimum, if your image can live with it"
        )
        return Trouble("CUDA is too old", cause, remedy)
    return None


def older(version: str, minimum: str) -> bool:
    """Compare versions number by number; missing numbers are 0, so 580.95 is not above 580.95.0."""
    left, right = numbers(version), numbers(minimum)
    length = max(len(left), len(right))
    return left + (0,) * (length - len(left)) < right + (0,) * (length - len(right))


def numbers(version: str) -> tuple[int, ...]:
    """Return the leading numbers of a version: "1.17.8-rc.1" gives (1, 17, 8)."""
    found: list[int] = []
    for part in version.split("."):
        digits = part[: len(part) - len(part.lstrip("0123456789"))]
        if not digits:
            break
        found.append(int(digits))
        if digits != part:
            break
    return tuple(found)


def _reboot_note(nvidia: Nvidia) -> tuple[str, ...]:
    notes = []
    if nvidia.loaded and nvidia.on_disk and nvidia.loaded != nvidia.on_disk:
        notes.append(
            f"NVIDIA driver {nvidia.loaded} is loaded and {nvidia.on_disk} is installed: "
            "the next reboot changes it."
        )
    if not nvidia.cuda:
        notes.append("nvidia-smi does not say which CUDA it brings: cuda_minimum was not checked.")
    return tuple(notes)


def _cpu_note(trouble: Trouble) -> str:
    remedy = f"{trouble.remedy[0].upper()}{trouble.remedy[1:]}."
    if trouble is NO_CARD:
        return "There is no NVIDIA card here: models run on the CPU."
    if trouble.is_passing:
        return f"{trouble.what}: {trouble.cause}. {remedy}"
    return f"Models run on the CPU: {trouble.what} ({trouble.cause}). {remedy}"
