"""What models take of a GPU, by property; test_published holds it to figures of others."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tasks.vram.arithmetic import MIB, Settings, cache_type, compute, kv_cache, need
from tasks.vram.shape import ModelShape
from tests.unit.tasks.vram import samples
from tests.unit.tasks.vram.samples import (
    GEMMA2_9B,
    GEMMA3_12B,
    GPT_OSS_20B,
    LLAMA2_7B,
    LLAMA3_8B,
    MISTRAL_7B,
    QWEN3_8B,
    QWEN25_7B,
)

ALL = (GEMMA2_9B, GEMMA3_12B, GPT_OSS_20B, LLAMA2_7B, LLAMA3_8B, MISTRAL_7B, QWEN25_7B)
models = st.sampled_from(ALL)
settings = st.builds(
    Settings,
    context=st.integers(256, 200_000),
    parallel=st.integers(1, 8),
    kv_cache_type=st.sampled_from(["f16", "q8_0", "q4_0"]),
    flash_attention=st.booleans(),
)


def f16(context: int, parallel: int = 1) -> Settings:
    return Settings(context, parallel, "f16", flash_attention=True)


@given(models, settings)
def test_more_context_never_needs_less(shape: ModelShape, chosen: Settings) -> None:
    larger = replace(chosen, context=2 * chosen.context)
    assert need(shape, larger).total >= need(shape, chosen).total


@given(models, settings)
def test_no_need_is_smaller_than_the_weights(shape: ModelShape, chosen: Settings) -> None:
    found = need(shape, chosen)
    assert found.total >= shape.weights + found.kv_cache
    assert min(found.kv_cache, found.compute, found.overhead) > 0


@given(models, settings)
def test_a_smaller_type_of_cache_never_needs_more(shape: ModelShape, chosen: Settings) -> None:
    sizes = [
        sum(kv_cache(shape, replace(chosen, kv_cache_type=kind)))
        for kind in ("f16", "q8_0", "q4_0")
    ]
    assert sizes == sorted(sizes, reverse=True)


def test_a_cache_is_quantised_only_where_flash_attention_is_used() -> None:
    quantised = Settings(4096, 1, "q8_0", flash_attention=True)
    assert cache_type(MISTRAL_7B, quantised) == "q8_0"
    assert cache_type(MISTRAL_7B, replace(quantised, flash_attention=False)) == "f16"
    assert cache_type(GEMMA2_9B, quantised) == "f16"
    assert cache_type(replace(MISTRAL_7B, value_length=64), quantised) == "f16"


def test_a_block_of_q8_0_holds_its_scale_too() -> None:
    whole = sum(kv_cache(MISTRAL_7B, f16(8192)))
    eight = Settings(8192, 1, "q8_0", flash_attention=True)
    assert sum(kv_cache(MISTRAL_7B, eight)) * 32 == whole * 17


def test_no_cache_is_larger_than_the_context_that_was_trained() -> None:
    assert kv_cache(LLAMA2_7B, f16(16384)) == kv_cache(LLAMA2_7B, f16(4096))


def test_requests_at_the_same_time_have_a_context_each() -> None:
    assert kv_cache(MISTRAL_7B, f16(4096, 4)) == kv_cache(MISTRAL_7B, f16(16384))


def test_a_layer_without_heads_keeps_a_state_whatever_the_context() -> None:
    short, long = (kv_cache(samples.hybrid(), f16(context)) for context in (2048, 8192))
    assert short[1] == long[1] == 4000
    assert 4 * short[0] == long[0]


def test_ollama_keeps_a_layer_free_where_it_only_estimates() -> None:
    own, estimated = need(QWEN3_8B, f16(8192)), need(QWEN25_7B, f16(8192))
    assert own.overhead == 457 * MIB
    assert estimated.overhead == 457 * MIB + QWEN25_7B.first_block + 8192 * 4 * 256 * 2


def test_layers_with_a_window_keep_no_more_than_it_and_a_batch() -> None:
    sizes = kv_cache(GEMMA3_12B, f16(32768))
    per_token = 8 * 512 * 2
    assert sizes[5] == 32768 * per_token
    assert {size for number, size in enumerate(sizes, 1) if number % 6} == {1536 * per_token}


def test_without_flash_attention_the_scores_of_every_head_are_kept() -> None:
    without = Settings(8192, 1, "f16", flash_attention=False)
    mask, scores = 2 * 512 * 8192, 4 * 512 * 8192 * QWEN3_8B.most_heads
    assert compute(QWEN3_8B, without) - compute(QWEN3_8B, f16(8192)) == scores - mask
