"""Which models fit on a card: alone, together, and with which settings (fault 7)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.declared.layers import defaults_layer, merge
from tasks.declared.stack import Service, Stack, declare
from tasks.vram.arithmetic import MIB, PER_PROCESS, need
from tasks.vram.plan import (
    GB,
    Card,
    Row,
    VramPlan,
    advice,
    card_of,
    refusal,
    settings_of,
)
from tasks.vram.shape import ModelShape
from tasks.vram.table import lines
from tests.unit.tasks.samples import stack
from tests.unit.tasks.vram.samples import (
    MISTRAL_7B,
    QWEN3_4B,
    QWEN3_8B,
    QWEN25_1B,
    QWEN25_7B,
    QWEN25_14B,
)

CARD = Card("RTX 2070 SUPER", (8192 * MIB,), GB // 2)
SHAPES = {"qwen": QWEN25_7B, "deepseek": QWEN3_8B, "mistral": MISTRAL_7B}


def rows(declared: Stack, **shapes: ModelShape) -> tuple[Row, ...]:
    chosen = SHAPES | shapes
    return tuple(Row(s, s.model, chosen[s.name]) for s in declared.services)


def service(name: str = "qwen", **changes: object) -> Service:
    found = next(s for s in stack(gpu="auto").services if s.name == name)
    return found.model_copy(update=changes)


def test_what_is_declared_by_default_fits_8_gb_with_its_context_the_agents_model_too() -> None:
    declared = declare(merge([defaults_layer()]))
    shapes = {
        "qwen2.5-coder:1.5b": QWEN25_1B,
        "qwen3:4b": QWEN3_4B,
        "deepseek-r1:8b": QWEN3_8B,
        "mistral:7b": MISTRAL_7B,
    }
    every = tuple(Row(s, m, shapes[m]) for s in declared.services for m in s.models)
    assert [row.model for row in every] == list(shapes)
    plan = VramPlan(CARD, every)
    assert all(plan.fits(row) for row in every)
    for service in declared.services:
        assert service.context >= declared.role_of(service).agent_context


def test_fault_7_the_default_models_fit_alone_and_not_together_on_8_gb() -> None:
    plan = VramPlan(CARD, rows(stack(gpu="auto")))
    assert all(plan.fits(row) for row in plan.rows)
    assert plan.sets() == [("qwen",), ("deepseek",), ("mistral",)]
    assert not list(plan.refusals())
    text = "\n".join(lines(plan))
    assert "Not all at the same time" in text
    assert 'keep_alive = "0"' in text


def test_on_24_gb_all_three_fit_at_the_same_time() -> None:
    plan = VramPlan(replace(CARD, sizes=(24 * 1024 * MIB,)), rows(stack(gpu="auto")))
    assert plan.sets() == [("qwen", "deepseek", "mistral")]
    assert any(line.strip().startswith("All 3 fit") for line in lines(plan))


def test_a_model_too_big_for_the_card_is_refused_with_figures_and_a_way() -> None:
    plan = VramPlan(CARD, rows(stack(gpu="auto"), qwen=QWEN25_14B))
    (failure,) = plan.refusals()
    assert failure.service == "qwen"
    assert "8.1 GB may be used" in failure.cause
    assert "the weights alone are 9.0 GB" in failure.remedy
    assert "gpu_partial = true" in failure.remedy


def test_it_is_not_refused_where_the_service_allows_it() -> None:
    too_big = Row(service(gpu_partial=True), "m:1", QWEN25_14B)
    assert not list(VramPlan(CARD, (too_big,)).refusals())


def test_an_unknown_model_is_shown_as_unknown_and_never_refused() -> None:
    plan = VramPlan(CARD, (Row(service(), "m:1", None, "its server does not tell"),))
    assert not list(plan.refusals())
    assert "its server does not tell" in "\n".join(lines(plan))


@pytest.mark.parametrize(
    ("shape", "changes", "part"),
    [
        (MISTRAL_7B, {"context": 32768, "kv_cache_type": "f16"}, 'kv_cache_type = "q8_0" and'),
        (MISTRAL_7B, {"context": 8192, "parallel": 4}, "parallel = 1"),
        (MISTRAL_7B, {"context": 24576}, "set context = "),
        (QWEN3_8B, {"context": 16384, "flash_attention": False}, "flash_attention = true"),
        (QWEN25_14B, {}, "declare a smaller model"),
    ],
)
def test_the_mildest_change_that_helps_is_named(
    shape: ModelShape, changes: dict[str, object], part: str
) -> None:
    row = Row(service("mistral", **changes), "m:1", shape)
    assert row.total > CARD.budget
    assert part in advice(row, CARD)


@given(
    st.sampled_from([MISTRAL_7B, QWEN25_7B, QWEN3_8B, QWEN25_14B]),
    st.integers(2048, 131072),
    st.integers(1, 4),
    st.sampled_from(["f16", "q8_0", "q4_0"]),
    st.booleans(),
    st.integers(4, 24),
)
def test_what_is_advised_fits(
    shape: ModelShape, context: int, parallel: int, kind: str, flash: bool, memory: int
) -> None:
    card = Card("", (memory * GB,))
    chosen = service(context=context, parallel=parallel, kv_cache_type=kind, flash_attention=flash)
    row = Row(chosen, "m:1", shape)
    text = advice(row, card)
    if row.total <= card.budget or not text.startswith("set "):
        return
    found = settings_of(chosen)
    for change in text.removeprefix("set ").partition(" in [")[0].split(" and "):
        key, _, value = change.partition(" = ")
        parsed = {"true": True}.get(value, value.strip('"'))
        found = replace(found, **{key: int(value) if value.isdecimal() else parsed})
    assert need(shape, found).total <= card.budget


@given(st.lists(st.integers(1, 20), min_size=1, max_size=8), st.integers(1, 30))
def test_every_set_fits_and_none_could_be_larger(sizes: list[int], memory: int) -> None:
    declared = [
        Row(
            service().model_copy(update={"name": f"s{n}"}),
            "m:1",
            replace(QWEN3_8B, weights=size * GB),
        )
        for n, size in enumerate(sizes)
    ]
    named = tuple(replace(row, model=row.service.model) for row in declared)
    plan = VramPlan(Card("", (memory * GB,)), named)
    totals = {row.service.name: row.total for row in plan.rows}
    for found in plan.sets():
        used = sum(totals[name] for name in found)
        assert used <= plan.card.budget
        others = [size for name, size in totals.items() if name not in found]
        assert all(used + size > plan.card.budget for size in others)


def test_a_declared_budget_wins_over_the_card_and_its_reserve() -> None:
    gpus = {"RTX": 8192 * MIB}
    assert card_of(stack(vram_reserve_gb=1), gpus) == Card("RTX", (8192 * MIB,), GB)
    assert card_of(stack(vram_budget_gb=6), gpus) == Card("RTX", (6 * GB,))
    assert card_of(stack(), {}) is None


def test_a_model_is_spread_over_cards_and_each_further_one_wants_buffers_of_its_own() -> None:
    found = need(QWEN25_14B, settings_of(service()))
    assert found.total > 10 * GB
    half = -(-found.total // 2)
    assert not Card("", (half, half)).holds(found)
    more = half + (found.compute + PER_PROCESS + 1) // 2
    assert Card("", (more, more)).holds(found)
    assert Card("", (found.total, GB)).holds(found)


def test_the_refusal_names_the_declared_context() -> None:
    row = Row(service(context=16384), "m:1", QWEN25_14B)
    assert "a context of 16384" in refusal(row, CARD).cause
