"""Which models fit on the card: alone, together, and with which settings. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, combinations
from typing import Literal

from tasks.declared.stack import Service, Stack
from tasks.vram import messages
from tasks.vram.arithmetic import PER_PROCESS, UPPER_BOUNDS, Need, Settings, need
from tasks.vram.shape import ModelShape
from tasks.words.failures import Failure
from tasks.words.messages import Text
from tasks.words.numbers import bytes_text

GB = 10**9
LEAST_CONTEXT, CONTEXT_STEP = 2048, 1024
# More services than this are only judged one by one: the sets double with each.
MOST_SERVICES = 12


@dataclass(frozen=True)
class Card:
    """The memory that models may use, in bytes: `sizes` of all cards, the largest first, less
    `reserve`, which is kept free on each."""

    names: str
    sizes: tuple[int, ...]
    reserve: int = 0

    @property
    def total(self) -> int:
        """The memory of all cards."""
        return sum(self.sizes)

    @property
    def budget(self) -> int:
        """What models may take of all cards together."""
        return sum(self.budgets)

    @property
    def budgets(self) -> tuple[int, ...]:
        """What models may take of each card."""
        return tuple(max(0, size - self.reserve) for size in self.sizes)

    def holds(self, found: Need) -> bool:
        """Tell whether a model fits; Ollama spreads one over as few cards as it can, and each
        further card wants its own buffers."""
        further = found.compute + PER_PROCESS
        return any(
            found.total + count * further <= sum(self.budgets[: count + 1])
            for count in range(len(self.sizes))
        )


@dataclass(frozen=True)
class Row:
    """A model of a service and what it takes; `shape` is None where nobody can tell, and `unknown`
    says why."""

    service: Service
    model: str
    shape: ModelShape | None
    unknown: str = ""

    @property
    def need(self) -> Need | None:
        """What the model takes, None where nobody can tell."""
        return None if self.shape is None else need(self.shape, settings_of(self.service))

    @property
    def total(self) -> int:
        """The bytes that it takes, 0 where nobody can tell."""
        return self.need.total if self.need is not None else 0


@dataclass(frozen=True)
class VramPlan:
    """What the services take of the card."""

    card: Card
    rows: tuple[Row, ...]

    def fits(self, row: Row) -> bool:
        """Tell whether a model fits on the card alone; so does one that nobody knows."""
        return row.need is None or self.card.holds(row.need)

    @property
    def main_rows(self) -> tuple[Row, ...]:
        """The main model of each service, where its size is known."""
        return tuple(r for r in self.rows if r.model == r.service.model and r.shape is not None)

    @property
    def together(self) -> int:
        """What all services take at the same time, each with its main model."""
        return sum(row.total for row in self.main_rows)

    def sets(self) -> list[tuple[str, ...]]:
        """Return the largest sets of services that fit on the card at once; each in one line."""
        sizes = {row.service.name: row.total for row in self.main_rows}
        if len(sizes) > MOST_SERVICES:
            return []
        found: list[tuple[str, ...]] = []
        for count in range(len(sizes), 0, -1):
            for names in combinations(sizes, count):
                is_part = any(set(names) <= set(larger) for larger in found)
                if not is_part and sum(sizes[name] for name in names) <= self.card.budget:
                    found.append(names)
        return found

    def refusals(self) -> Iterator[Failure]:
        """Yield a failure for each service with a model that is too big for the card alone."""
        for row in self.rows:
            is_certain = row.shape is not None and row.shape.architecture not in UPPER_BOUNDS
            if is_certain and not self.fits(row) and not row.service.gpu_partial:
                yield refusal(row, self.card)


def settings_of(service: Service) -> Settings:
    """Return what a service declares that its memory depends on."""
    return Settings(
        service.context, service.parallel, service.kv_cache_type, service.flash_attention
    )


def card_of(stack: Stack, gpus: Mapping[str, int]) -> Card | None:
    """Return the memory to plan with, None where there is none.

    `gpus`: memory of each card in bytes, by its name and number. A declared budget wins.
    """
    reserve = round(stack.vram_reserve_gb * GB)
    names = ", ".join(gpus)
    if stack.vram_budget_gb:
        return Card(names, (round(stack.vram_budget_gb * GB),))
    return Card(names, tuple(sorted(gpus.values(), reverse=True)), reserve) if gpus else None


def refusal(row: Row, card: Card) -> Failure:
    """Say that a model does not fit, and what would make it fit."""
    cause = messages.TOO_BIG(
        needed=bytes_text(row.total), context=row.service.context, free=bytes_text(card.budget)
    )
    remedy = messages.OR_PARTIAL(advice=advice(row, card))
    return Failure(f"{row.model} does not fit on the GPU", cause, remedy, row.service.name)


def advice(row: Row, card: Card) -> Text | Literal[""]:
    """Return the settings that would make a model fit, the mildest first; else that none does."""
    if row.shape is None:
        return ""
    now = settings_of(row.service)
    for change, least in _milder(row.shape, now):
        context = _largest_context(row.shape, change, least, card)
        if context:
            found = _difference(now, replace(change, context=context))
            return messages.CHANGE_SETTINGS(settings=found, service=row.service.name)
    return messages.SMALLER_MODEL(weights=bytes_text(row.shape.weights))


def _milder(shape: ModelShape, now: Settings) -> Iterator[tuple[Settings, int]]:
    """Yield settings that need less, with the least context to go down to; the mildest first.

    One request at a time and a cache of q8_0 cost next to nothing; then the context is cut, by half
    and further, and a cache of q4_0 is the last resort.
    """
    kind, flash = now.kv_cache_type, now.flash_attention
    mild = replace(now, parallel=1)
    if shape.has_flash_attention and (kind == "f16" or not flash):
        mild = replace(mild, kv_cache_type="q8_0" if kind == "f16" else kind, flash_attention=True)
    changes = dict.fromkeys((now, replace(now, parallel=1), mild))
    for least in (now.context, now.context // 2):
        yield from ((change, least) for change in changes)
    smallest = replace(mild, kv_cache_type="q4_0") if mild.flash_attention else mild
    yield from ((change, LEAST_CONTEXT) for change in (mild, smallest))


def _largest_context(shape: ModelShape, settings: Settings, least: int, card: Card) -> int:
    """Return the declared context or the largest smaller one that fits, in steps; 0 for none."""
    steps = range(settings.context // CONTEXT_STEP * CONTEXT_STEP, least - 1, -CONTEXT_STEP)
    for context in chain((settings.context,), steps):
        if card.holds(need(shape, replace(settings, context=context))):
            return context
    return 0


def _difference(now: Settings, found: Settings) -> str:
    changes = []
    if found.parallel != now.parallel:
        changes.append(f"parallel = {found.parallel}")
    if found.flash_attention != now.flash_attention:
        changes.append("flash_attention = true")
    if found.kv_cache_type != now.kv_cache_type:
        changes.append(f'kv_cache_type = "{found.kv_cache_type}"')
    if found.context != now.context:
        changes.append(f"context = {found.context}")
    return " and ".join(changes)
