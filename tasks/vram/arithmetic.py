"""How much memory of the GPU a loaded model takes. Pure; everything in bytes.

Ollama decides by this arithmetic how much of a model goes to the GPU, so what does not fit here
runs partly on the CPU there. One difference: Ollama leaves out the scales of quantised caches,
which take their room all the same (a sixteenth of q8_0). Source: ollama 0.24.0, fs/ggml/ggml.go
(GraphSize), llm/server.go (createLayout, Load), ml/device.go (MinimumMemory), server/sched.go.
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
# Caches that are smaller than what is counted here: other windows, layers that share one, latents.
UPPER_BOUNDS = frozenset(
    {"deepseek2", "gemma3n", "gemma4", "glm4moelite", "laguna", "llama4", "mllama", "olmo3"}
)
# Models that answer one request at a time, whatever is declared.
ONE_AT_A_TIME = frozenset(
    {
        "lfm2", "lfm2moe", "mllama", "nemotron_h", "nemotron_h_moe", "nemotron_h_omni",
        "qwen35", "qwen35moe", "qwen3next", "qwen3vl", "qwen3vlmoe",
    }
)  # fmt: skip
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
    return min(settings.context, limit) * _parallel(shape, settings)


def _parallel(shape: ModelShape, settings: Settings) -> int:
    is_single = shape.is_embedding or shape.architecture in ONE_AT_A_TIME
    return 1 if is_single else settings.parallel


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
    window = min(whole, window * _parallel(shape, settings) + BATCH)
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
    """Return the buffers of a computation of a batch of a prompt.

    On llama.cpp Ollama makes room for the larger of two estimates: all layers there, or a part.
    """
    if shape.architecture in OWN_ENGINE:
        return _own_engine(shape, settings)
    return max(whole_graph(shape, settings), partial_graph(shape, settings))


def whole_graph(shape: ModelShape, settings: Settings) -> int:
    """Return Ollama's estimate of the computation with all layers on the GPU."""
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
    return F32 * batch * max(terms) if terms is not None else partial_graph(shape, settings)


def partial_graph(shape: ModelShape, settings: Settings) -> int:
    """Return Ollama's estimate of the computation with some layers on the GPU."""
    context, width, vocabulary = tokens(shape, settings), shape.embedding, shape.vocabulary
    batch = min(BATCH, context)
    heads, kv_heads, key = shape.most_heads, max(shape.kv_heads, default=1), shape.key_length
    row = F32 * batch
    scores = context * (1 + heads)
    # The output's weights, unpacked for the computation.
    output = width * vocabulary * 105 // 128
    logits = row * (width + vocabulary) + output
    attention = width * key * heads * 9 // 16
    terms = {
        "llama": row * width
        + max(
            row * (1 + width + max(context, width))
            + width * width * 9 // 16
            + F32 * context * (batch * heads + width // max(1, heads) * kv_heads),
            logits,
        ),
        "gemma": max(logits, row * (2 * width + 1 + 2 * key * heads + scores)
                     + F32 * key * context * 8 + attention),
        "gemma2": max(logits, row * (2 * width + 1 + 2 * key * heads + scores)
                      + F32 * key * context * 8 + attention),
        "command-r": max(logits, row * (1 + 2 * width + scores) + F32 * width * context
                         + width * width * 9 // 16),
        "qwen2": max(logits, row * (1 + 2 * width + scores) + F32 * width * (1 + context)),
        "phi2": max(row * (2 * width + vocabulary) + output, row * (2 + 3 * width + scores)),
        "stablelm": row * max(vocabulary + 2 * width, 3 * width + 2 + scores),
        "chatglm": logits,
    }  # fmt: skip
    if shape.architecture in terms:
        return terms[shape.architecture]
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
