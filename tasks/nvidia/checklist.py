"""Everything between a card and a container, in the order in which a person would debug it. Pure.

Whether the GPU is usable follows from this list and from nothing beside it (see `diagnose`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tasks.declared.stack import Stack
from tasks.nvidia import messages, troubles
from tasks.nvidia.generations import is_too_old
from tasks.nvidia.observed import Gpu, Nvidia
from tasks.nvidia.troubles import NO_CARD, Trouble

Verdict = Literal["ok", "warning", "fault", "not reached"]
# MiB. A model of 3 billion parameters in 4 bits takes about 2 GB, its context and CUDA itself the
# better half of another: a card of 4 GB is the least that runs one. Some report less than 4096.
LEAST_GPU_MEMORY = 4000


@dataclass(frozen=True)
class Finding:
    """One line of the list. `remedy` is there where it is not ok; `trouble` where it is a fault."""

    name: str
    finding: str
    verdict: Verdict = "ok"
    remedy: str = ""
    trouble: Trouble | None = None


Look = Callable[[Nvidia, Stack], Trouble | Finding | str]


def checklist(nvidia: Nvidia, stack: Stack) -> tuple[Finding, ...]:
    """Go through the list; after a fault, which hides what comes behind it, nothing is reached."""
    found: list[Finding] = []
    for name, look in LOOKS:
        if found and found[-1].verdict in ("fault", "not reached"):
            found.append(Finding(name, "", "not reached"))
            continue
        told = look(nvidia, stack)
        if isinstance(told, Trouble):
            told = Finding(name, f"{told.what}: {told.cause}", "fault", told.remedy, told)
        found.append(told if isinstance(told, Finding) else Finding(name, told))
    return tuple(found)


def diagnose(nvidia: Nvidia, stack: Stack) -> Trouble | None:
    """Return what stands in the way of the GPU, None where nothing does."""
    return next((f.trouble for f in checklist(nvidia, stack) if f.trouble is not None), None)


def _card(nvidia: Nvidia, stack: Stack) -> Trouble | Finding | str:
    """Is there a card that is any use? One that only nvidia-smi sees is well: as under WSL."""
    if trouble := troubles.too_old(nvidia):
        return trouble
    if nvidia.cards:
        told = ", ".join(f"{card.address} (device {card.device})" for card in nvidia.cards)
        old = ", ".join(card.address for card in nvidia.cards if is_too_old(card))
        if old:
            return Finding(CARD, told, "warning", messages.OLD_BESIDE(cards=old))
        return told
    if nvidia.gpus or nvidia.is_mismatched:
        return "not on the PCI bus, and nvidia-smi knows it (so it is under WSL)"
    return "a driver is loaded, though no card is on the PCI bus" if nvidia.modules else NO_CARD


def _holder(nvidia: Nvidia, stack: Stack) -> Trouble | Finding | str:
    foreign = [c for c in nvidia.cards if c.driver and c.driver != "nvidia"]
    has_own = bool(nvidia.gpus) or nvidia.is_mismatched
    if not has_own and (trouble := troubles.held(nvidia)):
        return trouble
    if foreign:
        told = ", ".join(f"{card.driver} holds {card.address}" for card in foreign)
        remedy = messages.OTHER_CARD(driver=foreign[0].driver)
        return Finding(HOLDER, told, "warning", remedy)
    return "the module nvidia" if nvidia.is_loaded or has_own else "nobody"


def _secure_boot(nvidia: Nvidia, stack: Stack) -> Trouble | str:
    if not nvidia.gpus and (trouble := troubles.locked_out(nvidia)):
        return trouble
    if not nvidia.has_secure_boot:
        return "off"
    return "on, and it lets the driver in" if nvidia.is_loaded else "on"


def _on_disk(nvidia: Nvidia, stack: Stack) -> Trouble | str:
    if not nvidia.gpus and not nvidia.is_mismatched and (trouble := troubles.absent(nvidia)):
        return trouble
    return nvidia.on_disk or "not known: modinfo is missing, or does not know the running driver"


def _loaded(nvidia: Nvidia, stack: Stack) -> Trouble | Finding | str:
    if not nvidia.gpus and not nvidia.is_mismatched and (trouble := troubles.not_loaded(nvidia)):
        return trouble
    loaded, on_disk = nvidia.loaded, nvidia.on_disk
    if loaded and on_disk and loaded != on_disk and not nvidia.is_mismatched:
        told = f"{loaded}; the next reboot changes it to {on_disk}"
        return Finding(LOADED, told, "warning", messages.REBOOT_SOME_TIME())
    return loaded or "not known: nvidia-smi works without it being seen (so it is under WSL)"


def _match(nvidia: Nvidia, stack: Stack) -> Trouble | str:
    return troubles.mismatched(nvidia) or "the libraries are those of the loaded driver"


def _answer(nvidia: Nvidia, stack: Stack) -> Trouble | str:
    shown = (f"{gpu.index}: {gpu.name} (compute capability {gpu.compute_capability or 'unknown'})"
             for gpu in nvidia.gpus)  # fmt: skip
    return troubles.ancient(nvidia, stack) or troubles.silent(nvidia) or ", ".join(shown)


def _driver(nvidia: Nvidia, stack: Stack) -> Trouble | str:
    told = f"{nvidia.driver}, at least {stack.driver_minimum} is asked for"
    return troubles.outdated(nvidia, stack) or told


def _cuda(nvidia: Nvidia, stack: Stack) -> Trouble | Finding | str:
    if not nvidia.cuda:
        told = f"nvidia-smi does not say which it brings; {stack.cuda_minimum} is asked for"
        return Finding(CUDA, told, "warning", messages.READ_TABLE())
    told = f"{nvidia.cuda}, at least {stack.cuda_minimum} is asked for"
    return troubles.outdated_cuda(nvidia, stack) or told


def _memory(nvidia: Nvidia, stack: Stack) -> Finding:
    """Each card's size, what is used and by whom; the other model servers are not "others"."""
    told = "; ".join(_memory_of(gpu) for gpu in nvidia.gpus)
    free = [(gpu, _free_of_others(gpu)) for gpu in nvidia.gpus]
    least = f"{LEAST_GPU_MEMORY} MiB"
    if any(gpu.memory_total is not None and gpu.memory_total < LEAST_GPU_MEMORY for gpu, _ in free):
        return Finding(MEMORY, told, "warning", messages.SMALLER_MODELS(least=least))
    if any(rest is not None and rest < LEAST_GPU_MEMORY for _, rest in free):
        return Finding(MEMORY, told, "warning", messages.END_OTHERS(least=least))
    return Finding(MEMORY, told)


def _memory_of(gpu: Gpu) -> str:
    if gpu.memory_total is None:
        return f"{gpu.index}: nvidia-smi does not say how much (it is shared with the processor's)"
    users = ", ".join(map(str, gpu.log.processes))
    used = f"{gpu.memory_used if gpu.memory_used is not None else 'unknown'} used"
    return f"{gpu.index}: {gpu.memory_total} MiB, {used}{f' by {users}' if users else ''}"


def _free_of_others(gpu: Gpu) -> int | None:
    """Return the MiB that models could have, were all of them unloaded."""
    if gpu.memory_total is None or gpu.memory_used is None:
        return None
    ours = sum(process.memory or 0 for process in gpu.log.processes if process.is_ollama)
    return gpu.memory_total - gpu.memory_used + ours


def _persistence(nvidia: Nvidia, stack: Stack) -> Finding | str:
    """Without a desktop and without persistence the driver starts anew for every first load."""
    idle = [gpu for gpu in nvidia.gpus if gpu.log.is_persistent is False]
    headless = [g for g in idle if not any("G" in process.kind for process in g.log.processes)]
    if headless:
        told = "off, and no desktop keeps the driver awake: the first load takes seconds longer"
        return Finding(PERSISTENCE, told, "warning", messages.KEEP_AWAKE())
    if idle:
        return "off; the desktop keeps the driver awake"
    return "on" if any(gpu.log.is_persistent for gpu in nvidia.gpus) else "not known"


CARD, HOLDER, LOADED, CUDA = "card", "who holds it", "driver loaded", "CUDA"
MEMORY, PERSISTENCE = "GPU memory", "persistence"
LOOKS: tuple[tuple[str, Look], ...] = (
    (CARD, _card),
    (HOLDER, _holder),
    ("Secure Boot", _secure_boot),
    ("driver on disk", _on_disk),
    (LOADED, _loaded),
    ("driver and libraries", _match),
    ("nvidia-smi", _answer),
    ("driver version", _driver),
    (CUDA, _cuda),
    (MEMORY, _memory),
    (PERSISTENCE, _persistence),
)
