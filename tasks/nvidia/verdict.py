"""May containers use the GPU of this host? Judged from what is there and what is declared."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.declared.stack import Stack
from tasks.nvidia import messages
from tasks.nvidia.checklist import diagnose
from tasks.nvidia.driver import PART, DriverState
from tasks.nvidia.observed import Gpu, Nvidia
from tasks.nvidia.troubles import NO_CARD, Trouble, waits_for_reboot
from tasks.words.failures import Failure

NOTHING_PLANNED = DriverState()


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


def verdict(nvidia: Nvidia, stack: Stack, driver: DriverState = NOTHING_PLANNED) -> Verdict:
    """Judge. Where no active service wants the GPU, nothing is looked at and nothing is said.

    `driver` is what this host's plan says of a driver that is to be installed.
    """
    if not stack.has_gpu_service:
        return Verdict()
    trouble = diagnose(nvidia, stack)
    if trouble is None:
        return Verdict(usable=True, gpus=nvidia.gpus, notes=_reboot_note(nvidia))
    trouble = _with_installation(trouble, driver)
    who = requiring(stack)
    if driver.step is not None and who == ("",):
        # A failure of the host would leave the installation itself out of the plan.
        who = tuple(s.name for s in stack.services if s.active)
    if driver.failure is not None:
        who = who or (PART,)
    failures = tuple(Failure(trouble.what, trouble.cause, trouble.remedy, name) for name in who)
    notes = () if failures else (_cpu_note(trouble),)
    return Verdict(False, trouble.is_passing, nvidia.gpus, failures, notes)


def _with_installation(trouble: Trouble, driver: DriverState) -> Trouble:
    """Say what the installation of a driver makes of a trouble."""
    if driver.step is not None:
        package = driver.step.subject
        return waits_for_reboot(messages.WILL_BE_INSTALLED(package=package))
    if driver.reboot is not None:
        return waits_for_reboot(driver.reboot)
    if driver.failure is not None:
        return Trouble(driver.failure.what, driver.failure.cause, driver.failure.remedy)
    return trouble


def requiring(stack: Stack) -> tuple[str, ...]:
    """Return who requires the GPU: ("",) for every active service, names for some, () for none."""
    active = [s for s in stack.services if s.active]
    names = tuple(s.name for s in active if s.gpu == "required")
    return ("",) if names and len(names) == len(active) else names


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
        until = "Until then what has the GPU keeps it, and all else runs on the CPU."
        return f"{trouble.what}: {trouble.cause}. {remedy} {until}"
    return f"Models run on the CPU: {trouble.what} ({trouble.cause}). {remedy}"
