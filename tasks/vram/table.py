"""The VRAM plan as people read it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tasks.vram.arithmetic import UPPER_BOUNDS
from tasks.vram.plan import Row, VramPlan
from tasks.words.numbers import bytes_text


def lines(plan: VramPlan) -> Sequence[str]:
    """Return the plan as a table, for people."""
    card = plan.card
    free = card.total - card.budget
    kept = f", {bytes_text(free)} of it kept free" if free else ""
    head = f"Memory of the GPU ({card.names or 'a budget'}): {bytes_text(card.total)}{kept}"
    titles = ("service", "model", "weights", "KV cache", "compute", "overhead", "in all", "alone")
    cells = [titles, *(_cells(plan, row) for row in plan.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(titles))]
    table = ["  " + _line(row, widths).rstrip() for row in cells]
    unknown = [f"{row.model}: {row.unknown}" for row in plan.rows if row.shape is None]
    return [head, *table, *(f"  {text}" for text in [*unknown, *_together(plan)])]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    left = 2
    return "  ".join(
        text.ljust(width) if column < left else text.rjust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    )


def _cells(plan: VramPlan, row: Row) -> tuple[str, ...]:
    found = row.need
    if found is None:
        return (row.service.name, row.model, "?", "?", "?", "?", "?", "unknown")
    sizes = (found.weights, found.kv_cache, found.compute, found.overhead, found.total)
    is_certain = row.shape is not None and row.shape.architecture not in UPPER_BOUNDS
    verdict = "fits" if plan.fits(row) else "does not fit" if is_certain else "may fit"
    return (row.service.name, row.model, *map(bytes_text, sizes), verdict)


def _together(plan: VramPlan) -> Iterator[str]:
    """Say which services can be loaded at the same time (fault 7)."""
    count = len(plan.main_rows)
    if count < 2:
        return
    needed = f"{bytes_text(plan.together)} of {bytes_text(plan.card.budget)}"
    if plan.together <= plan.card.budget:
        yield f"All {count} fit at the same time: {needed}."
        return
    sets = [" + ".join(names) for names in plan.sets()]
    yield f"Not all at the same time: together they take {needed}."
    if sets:
        yield f"At the same time: {'; or '.join(sets)}."
    yield (
        "A server cannot see the others' memory: who is loaded last runs partly on the CPU."
        ' keep_alive = "0" frees the card after each answer.'
    )
