"""The VRAM plan within a run: shown before anything is pulled, and acted upon."""

from __future__ import annotations

from collections.abc import Iterable

from tasks.containers.observed import Snapshot
from tasks.nvidia.facts import observe_nvidia
from tasks.nvidia.observed import Gpu
from tasks.registry.asker import asker_of
from tasks.run.run import Run
from tasks.vram.arithmetic import MIB
from tasks.vram.look import rows
from tasks.vram.plan import VramPlan, card_of
from tasks.vram.table import lines
from tasks.words.steps import Action, Step

# Steps that bring a model to the card or change what it takes there.
CONCERNED = frozenset(
    {Action.PULL_MODEL, Action.UPGRADE_MODEL, Action.RESTORE_MODEL, Action.CREATE}
)


def check_vram(run: Run, steps: Iterable[Step], snapshot: Snapshot) -> None:
    """Show what the models take of the card, where the plan changes that; refuse what is too big.

    A run that changes nothing asks nothing: what serves now was proven by a generation.
    """
    concerned = {step.service for step in steps if step.action in CONCERNED}
    if not concerned or not run.decided.gpu_is_usable:
        return
    card = card_of(run.stack, memory(observe_nvidia(run).gpus))
    if card is None:
        run.teller.note(
            "the memory of the GPU is not known: whether the models fit was not checked"
        )
        return
    services = [
        service for service in run.stack.selected if not run.teller.has_failed(service.name)
    ]
    plan = VramPlan(card, rows(asker_of(run), services, snapshot, run.held.model_digests))
    for line in lines(plan):
        run.teller.log(line)
    for failure in plan.refusals():
        if failure.service in concerned and not run.teller.has_failed(failure.service):
            run.teller.fail(failure)


def memory(gpus: Iterable[Gpu]) -> dict[str, int]:
    """Return the bytes of each card whose memory is known, by its name."""
    found: dict[str, int] = {}
    for gpu in gpus:
        if gpu.memory_total:
            name = gpu.name if gpu.name not in found else f"{gpu.name} ({gpu.index})"
            found[name] = gpu.memory_total * MIB
    return found
