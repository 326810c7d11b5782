"""Models by their published hyperparameters, for the arithmetic's tests.

Sources: the config.json of each model at its publisher. The sizes of the weights are those that the
Ollama library shows for the tag; what of them stays off the GPU is left out of account here.
"""

from __future__ import annotations

from dataclasses import replace

from tasks.vram.shape import ModelShape


def shape(
    architecture: str,
    layers: int,
    width: int,
    heads: int,
    kv_heads: int,
    head: int,
    *,
    feed_forward: int,
    vocabulary: int,
    weights: float = 0,
    context: int = 131072,
    window: int = 0,
) -> ModelShape:
    """Return a model whose layers are all alike; `weights` in bytes."""
    return ModelShape(
        architecture=architecture,
        embedding=width,
        heads=(heads,) * layers,
        kv_heads=(kv_heads,) * layers,
        key_length=head,
        value_length=head,
        trained_context=context,
        vocabulary=vocabulary,
        feed_forward=feed_forward,
        weights=round(weights),
        first_block=round(weights / (layers + 2)),
        window=window,
    )


MISTRAL_7B = shape("llama", 32, 4096, 32, 8, 128, feed_forward=14336, vocabulary=32768,
                   weights=4.4e9, context=32768)  # fmt: skip
LLAMA2_7B = shape("llama", 32, 4096, 32, 32, 128, feed_forward=11008, vocabulary=32000,
                  weights=3.8e9, context=4096)  # fmt: skip
LLAMA3_8B = shape("llama", 32, 4096, 32, 8, 128, feed_forward=14336, vocabulary=128256,
                  weights=4.7e9)  # fmt: skip
QWEN25_7B = shape("qwen2", 28, 3584, 28, 4, 128, feed_forward=18944, vocabulary=152064,
                  weights=4.7e9, context=32768)  # fmt: skip
QWEN25_1B = shape("qwen2", 28, 1536, 12, 2, 128, feed_forward=8960, vocabulary=151936,
                  weights=0.986e9, context=32768)  # fmt: skip
QWEN25_14B = shape("qwen2", 48, 5120, 40, 8, 128, feed_forward=13824, vocabulary=152064,
                   weights=9.0e9, context=32768)  # fmt: skip
QWEN3_4B = shape("qwen3", 36, 2560, 32, 8, 128, feed_forward=9728, vocabulary=151936,
                 weights=2.5e9, context=40960)  # fmt: skip
QWEN3_8B = shape("qwen3", 36, 4096, 32, 8, 128, feed_forward=12288, vocabulary=151936,
                 weights=5.2e9, context=40960)  # fmt: skip
GEMMA2_9B = shape("gemma2", 42, 3584, 16, 8, 256, feed_forward=14336, vocabulary=256000,
                  weights=5.4e9, context=8192, window=4096)  # fmt: skip
GEMMA3_12B = shape("gemma3", 48, 3840, 16, 8, 256, feed_forward=15360, vocabulary=262208,
                   weights=8.1e9, window=1024)  # fmt: skip
GPT_OSS_20B = shape("gptoss", 24, 2880, 64, 8, 64, feed_forward=2880, vocabulary=201088,
                    weights=13e9, window=128)  # fmt: skip


def hybrid() -> ModelShape:
    """Return an invented model every second layer of which keeps a state and no cache."""
    return replace(LLAMA3_8B, architecture="invented", kv_heads=(8, 0) * 16, recurrent_state=1000)
