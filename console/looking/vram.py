"""The VRAM plan for a person who asks: what the declared models take of the GPU's memory."""

from __future__ import annotations

from typing import Any

from console.looking.asker import asker_here
from console.looking.host import declared, lock_of, snapshot_of
from console.words.trouble import Trouble
from tasks.declared.stack import Service
from tasks.nvidia.look import look_at_nvidia
from tasks.vram.check import memory
from tasks.vram.look import rows
from tasks.vram.plan import Row, VramPlan, card_of
from tasks.words.steps import LOCAL


def vram_plan(budget_gb: float | None) -> VramPlan | Trouble:
    """Plan for this machine's card, or for a budget in GB; nothing has to run for it.

    A budget asks what would be: services that are kept off the GPU are planned for as well.
    """
    stack = declared()
    services = stack.services
    if budget_gb:
        stack = stack.model_copy(update={"vram_budget_gb": budget_gb})
        services = tuple(s.model_copy(update={"gpu": "auto"}) for s in services)
    elif not stack.has_gpu_service:
        remedy = 'set gpu = "auto"; or --budget 8 shows what a card of 8 GB would hold'
        return Trouble('no active service may use the GPU (gpu = "off")', remedy)
    asker = asker_here(stack)
    card = card_of(stack, memory(look_at_nvidia(asker).gpus))
    if card is None:
        return Trouble(
            "no NVIDIA card tells its memory here",
            "--budget 8 plans for a card of 8 GB; vram_budget_gb in stack.toml does so for good",
        )
    lock = lock_of(stack)

    def digests(service: Service) -> dict[str, str]:
        return lock.service(LOCAL, service.name).model_digests if lock is not None else {}

    snapshot, _ = snapshot_of(stack)
    return VramPlan(card, rows(asker, services, snapshot, digests))


def as_json(plan: VramPlan) -> dict[str, Any]:
    """Return the plan for programs; sizes in bytes, null where nobody can tell."""
    card = plan.card
    return {
        "card": {"names": card.names, "total": card.total, "budget": card.budget},
        "models": [_row(plan, row) for row in plan.rows],
        "together": plan.together,
        "sets": [list(names) for names in plan.sets()],
    }


def _row(plan: VramPlan, row: Row) -> dict[str, Any]:
    need = row.need
    return {
        "service": row.service.name,
        "model": row.model,
        "weights": need.weights if need else None,
        "kv_cache": need.kv_cache if need else None,
        "compute": need.compute if need else None,
        "overhead": need.overhead if need else None,
        "total": need.total if need else None,
        "fits": plan.fits(row) if need else None,
        "unknown": row.unknown,
    }
