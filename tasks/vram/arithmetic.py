"""How much memory of the GPU a loaded model takes. Pure; everything in bytes.

Ollama decides by the same arithmetic how much of a model goes to the GPU, so what does not fit here
runs partly on the CPU there. Source: ollama 0.24.0, fs/ggml/ggml.go (GraphSize), llm/server.go
(createLayout), ml/device.go (MinimumMemory).
"""

from __future__ import annotations

from dataclasses import dataclass

from tasks.vram.shape import ModelShape

MIB = 1024**2
# Kept free by Ollama on each card for every server: CUDA's own context, above all.
PER_PROCESS = 457 * MIB
# Tokens of a prompt that are computed at once.
BATCH = 512
F32 = 4
# Bytes of an element of the KV cache; quantised blocks hold 32 elements and their scale.
ELEMENT = {"f16": 2.0, "q8_0": 34 / 32, "q4_0": 18 / 32}
# Models of these architectures run on Ollama's own engine, which measures what it takes; the others
# on llama.cpp, for which Ollama estimates (llm/server.go, OllamaEngineRequired).
OWN_ENGINE = frozenset(
    {
        "bert", "deepseek2", "deepseekocr", "gemma3", "gemma3n", "gemma4", "glm4moelite", "glmocr",
        "gptoss", "gpt-oss", "laguna", "lfm2", "lfm2moe", "llama4", "mistral3", "mllama",
        "nemotron_h", "nemotron_h_moe", "nemotron_h_omni", "nomic-bert", "olmo3", "qwen25vl",
        "qwen3", "qwen35", "qwen35moe", "qwen3moe", "qwen3next", "qwen3vl", "qwen3vlmoe",
    }
)  # fmt: skip
# Every how manieth layer of a model with a sliding window keeps the whole context.
WHOLE_EVERY = {"gemma3": 6, "gptoss": 2, "gpt-oss": 2}
# Models that remember more than their window, so that a chat can go on.
REMEMBERED = {"gptoss": 4096, "gpt-oss": 4096}


@dataclass(frozen=True)
class Settings:
    """What a service declares that its memory depends on; `context` in tokens for each request."""

    context: int
    parallel: int
    kv_cache_type: str
    flash_attention: bool


@dataclass(frozen=True)
class Need:
    """What a loaded model takes of the GPU, in bytes."""

    weights: int
    kv_cache: int
    compute: int
    overhead: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv_cache + self.compute + self.overhead


def need(shape: ModelShape, settings: Settings) -> Need:
    """Return what a model takes, wholly on the GPU, with these settings."""
    layers = kv_cache(shape, settings)
    overhead = PER_PROCESS
    if shape.architecture not in OWN_ENGINE:
        # Ollama keeps one layer's worth free where it only estimates.
        overhead += shape.first_block + (layers[0] if layers else 0)
    return Need(shape.weights, sum(layers), compute(shape, settings), overhead)


def tokens(shape: ModelShape, settings: Settings) -> int:
    """Return the tokens that the cache has room for; Ollama never goes beyond the trained ones."""
    limit = shape.trained_context or settings.context
    return min(settings.context, limit) * settings.parallel


def cache_type(shape: ModelShape, settings: Settings) -> str:
    """Return the type that the KV cache really has: quantised only with flash attention."""
    if settings.flash_attention and shape.has_flash_attention:
        return settings.kv_cache_type
    return "f16"


def kv_cache(shape: ModelShape, settings: Settings) -> list[int]:
    """Return the KV cache of each layer."""
    element = ELEMENT[cache_type(shape, settings)]
    whole = tokens(shape, settings)
    window = REMEMBERED.get(shape.architecture, shape.window) or whole
    window = min(whole, window * settings.parallel + BATCH)
    every = WHOLE_EVERY.get(shape.architecture, 1)
    sizes = []
    for number, (heads, kv_heads) in enumerate(zip(shape.heads, shape.kv_heads, strict=True), 1):
        if heads and kv_heads:
            room = whole if number % every == 0 else window
            sizes.append(int(room * (shape.key_length + shape.value_length) * kv_heads * element))
        else:
            sizes.append(shape.recurrent_state * F32)
    return sizes


def compute(shape: ModelShape, settings: Settings) -> int:
    """Return the buffers of a computation of a batch of a prompt."""
    if shape.architecture in OWN_ENGINE:
        return _own_engine(shape, settings)
    context, width, vocabulary = tokens(shape, settings), shape.embedding, shape.vocabulary
    batch = min(BATCH, context)
    heads, key = shape.most_heads, shape.key_length
    scores = context * (1 + heads)
    logits = width + vocabulary
    terms = {
        "llama": (1 + 4 * width + scores, logits),
        "gemma": (2 + scores + 2 * width + 2 * key * heads, logits),
        "gemma2": (2 + scores + 2 * width + 2 * key * heads, logits),
        "command-r": (2 + 4 * width + scores, logits),
        "qwen2": (1 + 2 * width + scores, logits),
        "phi2": (1 + 4 * width + scores, logits),
        "stablelm": (3 * width + 2 + scores, 0),
        "chatglm": (logits, 0),
    }.get(shape.architecture)
    if terms is not None:
        return F32 * batch * max(terms)
    # Where Ollama knows nothing better.
    per_group = heads // max(1, min((n for n in shape.kv_heads if n), default=1))
    return per_group * sum(kv_cache(shape, settings)) // 6


def _own_engine(shape: ModelShape, settings: Settings) -> int:
    """Estimate what Ollama's own engine measures: activations and the mask or, without flash
    attention, the scores of every head. Figured out by measuring it with models of many shapes."""
    context = tokens(shape, settings)
    batch = min(BATCH, context)
    attention = (shape.most_heads + 2 * max(shape.kv_heads, default=1)) * shape.key_length
    activations = F32 * batch * (4 * shape.embedding + 2 * shape.feed_forward + attention)
    if settings.flash_attention and shape.has_flash_attention:
        return activations + F32 // 2 * batch * context
    return activations + F32 * batch * context * shape.most_heads
