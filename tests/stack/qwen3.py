"""A small model of the architecture of the default DeepSeek, with random weights: Ollama runs it on
its own engine, which measures the memory that it takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFWriter

LAYERS, WIDTH, HEADS, KV_HEADS, HEAD, FEED_FORWARD, TOKENS = 4, 512, 8, 4, 64, 1536, 4000
CONTEXT = 40960


def write(path: Path) -> None:
    """Write the GGUF file, about 30 MB."""
    writer = GGUFWriter(path, "qwen3")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_rope_freq_base(1e6)
    writer.add_file_type(1)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([f"t{number}" for number in range(TOKENS)])
    writer.add_token_types([1] * TOKENS)
    writer.add_token_merges(["t 1"])
    writer.add_bos_token_id(0)
    writer.add_eos_token_id(1)
    for name, tensor in _tensors().items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _tensors() -> dict[str, Any]:
    random = np.random.RandomState(7)

    def noise(rows: int, columns: int) -> Any:
        return (random.randint(-64, 65, (rows, columns)) / 4096).astype(np.float16)

    def ones(length: int) -> Any:
        return np.ones(length, np.float32)

    tensors = {
        "token_embd.weight": noise(TOKENS, WIDTH),
        "output_norm.weight": ones(WIDTH),
        "output.weight": noise(TOKENS, WIDTH),
    }
    for layer in range(LAYERS):
        block = f"blk.{layer}"
        tensors |= {
            f"{block}.attn_norm.weight": ones(WIDTH),
            f"{block}.attn_q.weight": noise(HEADS * HEAD, WIDTH),
            f"{block}.attn_k.weight": noise(KV_HEADS * HEAD, WIDTH),
            f"{block}.attn_v.weight": noise(KV_HEADS * HEAD, WIDTH),
            f"{block}.attn_q_norm.weight": ones(HEAD),
            f"{block}.attn_k_norm.weight": ones(HEAD),
            f"{block}.attn_output.weight": noise(WIDTH, HEADS * HEAD),
            f"{block}.ffn_norm.weight": ones(WIDTH),
            f"{block}.ffn_gate.weight": noise(FEED_FORWARD, WIDTH),
            f"{block}.ffn_up.weight": noise(FEED_FORWARD, WIDTH),
            f"{block}.ffn_down.weight": noise(WIDTH, FEED_FORWARD),
        }
    return tensors
