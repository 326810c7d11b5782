"""What of a model decides about its memory, from its file's header and from /api/show."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.vram.gguf import Header, Tensor
from tasks.vram.shape import Incomplete, from_header, from_show

VALUES: dict[str, Any] = {
    "general.architecture": "llama",
    "llama.block_count": 2,
    "llama.embedding_length": 256,
    "llama.attention.head_count": 8,
    "llama.attention.head_count_kv": 2,
    "llama.context_length": 4096,
    "llama.feed_forward_length": 512,
}
TENSORS = (
    Tensor("token_embd.weight", (256, 1000), 144_000),
    Tensor("blk.0.attn_q.weight", (256, 256), 36_864),
    Tensor("blk.1.attn_q.weight", (256, 256), 36_864),
    Tensor("output.weight", (256, 1000), 210_000),
)
FILE = 500_000


def header(*without: str, **values: Any) -> Header:
    tensors = tuple(tensor for tensor in TENSORS if tensor.name not in without)
    return Header({**VALUES, **values}, {}, tensors)


def test_the_token_embedding_stays_off_the_gpu() -> None:
    shape = from_header(header(), FILE)
    assert shape.weights == 2 * 36_864 + 210_000
    assert (shape.first_block, shape.vocabulary, shape.is_exact) == (36_864, 1000, True)
    assert (shape.heads, shape.kv_heads, shape.key_length) == ((8, 8), (2, 2), 32)


def test_it_goes_there_where_the_output_uses_it_too() -> None:
    assert from_header(header("output.weight"), FILE).weights == 2 * 36_864 + 144_000


def test_without_the_list_of_tensors_the_whole_file_counts() -> None:
    cut = Header(VALUES, {"tokenizer.ggml.tokens": 1000}, None)
    shape = from_header(cut, FILE)
    assert (shape.weights, shape.vocabulary, shape.is_exact) == (FILE, 1000, False)


def test_one_tensor_of_an_unknown_type_makes_the_whole_file_count() -> None:
    unknown = Header(VALUES, {}, (*TENSORS, Tensor("blk.1.new", (1,), None)))
    assert from_header(unknown, FILE).weights == FILE


def test_a_projector_for_images_goes_to_the_gpu_whole() -> None:
    without = from_header(header(), FILE).weights
    assert from_header(header(), FILE, projector=7_000).weights == without + 7_000


@pytest.mark.parametrize(
    ("told", "expected"),
    [(4, (4, 4)), ((4, 0), (4, 0)), ((4,), (4, 4)), ((4, 2, 1), (4, 2))],
)
def test_heads_are_told_once_or_for_each_layer(told: Any, expected: tuple[int, ...]) -> None:
    values = {**VALUES, "llama.attention.head_count_kv": told}
    assert from_header(Header(values, {}, TENSORS), FILE).kv_heads == expected


def test_the_server_tells_the_same_as_the_file() -> None:
    answer = {
        "model_info": VALUES,
        "tensors": [
            {"name": "token_embd.weight", "type": "Q4_K", "shape": [256, 1000]},
            {"name": "blk.0.attn_q.weight", "type": "Q4_K", "shape": [256, 256]},
            {"name": "blk.1.attn_q.weight", "type": "Q4_K", "shape": [256, 256]},
            {"name": "output.weight", "type": "Q6_K", "shape": [256, 1000]},
        ],
    }
    assert from_show(answer, FILE) == from_header(header(), FILE)


@pytest.mark.parametrize("key", ["general.architecture", "llama.block_count"])
def test_what_is_missing_is_named(key: str) -> None:
    values = {name: value for name, value in VALUES.items() if name != key}
    with pytest.raises(Incomplete, match="block_count"):
        from_header(Header(values, {}, TENSORS), FILE)
    with pytest.raises(Incomplete):
        from_show({}, FILE)


@pytest.mark.parametrize(
    "answer",
    [
        {"model_info": {**VALUES, "llama.attention.head_count_kv": None}},
        {"model_info": []},
        {"model_info": VALUES, "tensors": [None]},
        {"model_info": {**VALUES, "llama.block_count": float("inf")}},
        {"model_info": {**VALUES, "llama.block_count": 2**32}},
        {"model_info": {**VALUES, "llama.embedding_length": "wide"}},
    ],
)
def test_odd_answers_are_named_and_never_an_error_of_ours(answer: dict[str, Any]) -> None:
    with pytest.raises(Incomplete):
        from_show(answer, FILE)
