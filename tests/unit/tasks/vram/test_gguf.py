"""The header of a GGUF file: read from its first bytes, whatever they are."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType
from hypothesis import given
from hypothesis import strategies as st

from lab.weights import Shape, Weights, write
from tasks.vram.gguf import TENSOR_TYPES, Header, NotGguf, TooShort, read_header, tensor_size


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A whole file, written by the library of the format's own authors."""
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write(Weights("tiny", ("one", "two"), 7, Shape(blocks=2, width=64)), path)
    return path.read_bytes()


def test_values_and_tensors_of_a_real_file(tiny: bytes) -> None:
    header = read_header(tiny)
    assert header.values["general.architecture"] == "llama"
    assert header.values["llama.block_count"] == 2
    assert header.values["llama.attention.head_count"] == 2
    assert header.lengths["tokenizer.ggml.tokens"] == header.values["llama.vocab_size"]
    assert header.tensors is not None
    shapes = {tensor.name: tensor.shape for tensor in header.tensors}
    assert shapes["token_embd.weight"] == (64, header.values["llama.vocab_size"])
    assert sum(tensor.size or 0 for tensor in header.tensors) < len(tiny)


def test_a_beginning_tells_the_model_and_not_its_tensors(tiny: bytes) -> None:
    cut = tiny.index(b"tokenizer.ggml.scores")
    header = read_header(tiny[:cut])
    assert header.values["llama.embedding_length"] == 64
    assert header.lengths["tokenizer.ggml.tokens"] > 256
    assert header.tensors is None


@given(st.data())
def test_no_cut_is_read_wrongly(tiny: bytes, data: st.DataObject) -> None:
    whole = read_header(tiny)
    end = data.draw(st.integers(0, len(tiny)))
    try:
        header = read_header(tiny[:end])
    except TooShort:
        return
    assert header.values.items() <= whole.values.items()
    assert header.tensors in (None, whole.tensors)


@given(st.data())
def test_damaged_bytes_end_in_a_named_error_or_in_a_header(
    tiny: bytes, data: st.DataObject
) -> None:
    damaged = bytearray(tiny[:4096])
    for at in data.draw(st.lists(st.integers(0, len(damaged) - 1), max_size=20)):
        damaged[at] = data.draw(st.integers(0, 255))
    with suppress(NotGguf, TooShort):
        assert isinstance(read_header(bytes(damaged)), Header)


@pytest.mark.parametrize("text", [b"", b"GG", b"<html>not here</html>", b"GGUF" + b"\0" * 40])
def test_what_is_no_gguf_is_said_to_be_none(text: bytes) -> None:
    with pytest.raises((NotGguf, TooShort)):
        read_header(text)


def test_a_count_beyond_all_bytes_is_no_endless_loop() -> None:
    with pytest.raises(TooShort):
        read_header(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60))


def test_block_sizes_are_those_of_the_format() -> None:
    """Source: the constants of PyPI's gguf, which ggml's authors publish."""
    for number, name, block, size in TENSOR_TYPES:
        kind = GGMLQuantizationType(number)
        assert kind.name == name
        assert GGML_QUANT_SIZES[kind] == (block, size)


def test_a_tensor_of_an_unknown_type_has_no_size() -> None:
    assert tensor_size((256, 2), 9999) is None
    assert tensor_size((256, 2), "Q4_K") == tensor_size((256, 2), 12) == 288
