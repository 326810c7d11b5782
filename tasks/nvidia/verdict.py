"""May containers use the GPU of this host? Judged from what is there and what is declared."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.nvidia.checklist import diagnose
from tasks.nvidia.observed import Gpu, Nvidia
from tasks.nvidia.troubles import NO_CARD, Trouble
from tasks.stack import Stack
from tasks.steps import Failure


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
