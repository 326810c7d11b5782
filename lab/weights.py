"""Tiny models in GGUF that load fast and really generate: each says one sentence, then ends.

Everything is computed in exact integers and signs, so the bytes, and with them the digests, are
the same on every machine. A chain is written into the embedding and the output matrix: each token
of the sentence is a vector of signs, and the row of its successor is the same vector. All other
tokens share one direction, which leads to the first token. Attention is computed as in any model
(its cost is real) and adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter
from numpy.typing import NDArray

from lab.words import WORDS

Array = NDArray[np.float32]
CONTEXT = 32768
HEAD = 32
UNKNOWN, START, END = 0, 1, 2
FIRST_BYTE, BYTES = 3, 256
_NORMAL, _UNKNOWN, _CONTROL, _BYTE = 1, 2, 3, 6


@dataclass(frozen=True)
class Shape:
    """The size of a model; heads are 32 wide, the feed-forward is twice the width."""

    blocks: int = 1
    width: int = 32


@dataclass(frozen=True)
class Weights:
    """What a GGUF file is made of. `missing` names a tensor that is left out: it cannot load."""

    name: str
    sentence: tuple[str, ...]
    seed: int
    shape: Shape = Shape()
    missing: str = ""


def write(weights: Weights, path: Path) -> None:
    """Write the GGUF file."""
    texts = _vocabulary(weights.sentence)
    writer = GGUFWriter(path, "llama")
    _write_header(writer, weights, texts)
    for name, tensor in _tensors(weights, len(texts)).items():
        if name != weights.missing:
            writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _vocabulary(sentence: tuple[str, ...]) -> list[str]:
    """Return all tokens: special, bytes, common words with their beginnings, the sentence."""
    special = ["<unk>", "<s>", "</s>", *(f"<0x{number:02X}>" for number in range(BYTES))]
    # The tokenizer joins two neighbours at a time: every beginning must be a token as well.
    beginnings = dict.fromkeys(
        f"▁{word}"[:length] for word in WORDS for length in range(2, len(word) + 2)
    )
    chain = [phrase.replace(" ", "▁") for phrase in sentence]
    return [*special, *(text for text in beginnings if text not in chain), *chain]


def _write_header(writer: GGUFWriter, weights: Weights, texts: list[str]) -> None:
    width = weights.shape.width
    writer.add_name(weights.name)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(width)
    writer.add_block_count(weights.shape.blocks)
    writer.add_feed_forward_length(2 * width)
    writer.add_head_count(width // HEAD)
    writer.add_head_count_kv(width // HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(texts))
    writer.add_file_type(0)
    writer.add_tokenizer_model("llama")
    writer.add_token_list(texts)
    writer.add_token_scores([-float(number) for number in range(len(texts))])
    writer.add_token_types(
        [_UNKNOWN, _CONTROL, _CONTROL]
        + [_BYTE] * BYTES
        + [_NORMAL] * (len(texts) - BYTES - FIRST_BYTE)
    )
    writer.add_bos_token_id(START)
    writer.add_eos_token_id(END)
    writer.add_unk_token_id(UNKNOWN)
    writer.add_add_bos_token(True)
    writer.add_add_eos_token(False)


def _tensors(weights: Weights, tokens: int) -> dict[str, Array]:
    width = weights.shape.width
    random = np.random.RandomState(weights.seed)
    embedding, output = _chain(random, tokens, len(weights.sentence), width)
    tensors: dict[str, Any] = {
        "token_embd.weight": embedding,
        "output_norm.weight": np.ones(width, np.float32),
        "output.weight": output,
    }
    for block in range(weights.shape.blocks):
        tensors |= _block(random, f"blk.{block}", width)
    return tensors


def _chain(random: Any, tokens: int, length: int, width: int) -> tuple[Array, Array]:
    embedding = np.zeros((tokens, width), np.float32)
    output = np.zeros((tokens, width), np.float32)
    first = tokens - length
    embedding[:first, 0] = 4
    output[first, 0] = 8
    signs = (random.randint(0, 2, (length, width - 1)) * 2 - 1).astype(np.float32)
    embedding[first:, 1:] = signs
    output[first + 1 :, 1:] = 2 * signs[:-1]
    output[END, 1:] = 2 * signs[-1]
    return embedding, output


def _block(random: Any, name: str, width: int) -> dict[str, Array]:
    def noise(rows: int, columns: int) -> Array:
        whole: Array = random.randint(-128, 128, (rows, columns)).astype(np.float32)
        return whole / np.float32(4096)

    return {
        f"{name}.attn_norm.weight": np.ones(width, np.float32),
        f"{name}.attn_q.weight": noise(width, width),
        f"{name}.attn_k.weight": noise(width, width),
        f"{name}.attn_v.weight": noise(width, width),
        f"{name}.attn_output.weight": np.zeros((width, width), np.float32),
        f"{name}.ffn_norm.weight": np.ones(width, np.float32),
        f"{name}.ffn_gate.weight": noise(2 * width, width),
        f"{name}.ffn_up.weight": noise(2 * width, width),
        f"{name}.ffn_down.weight": np.zeros((width, 2 * width), np.float32),
    }
