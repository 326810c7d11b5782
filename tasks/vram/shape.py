"""What of a model decides about its memory: layers, heads, weights. From GGUF or /api/show."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tasks.vram.gguf import Header, Tensor, tensor_size

# More layers than any model has: a number beyond is damage.
MOST_BLOCKS = 4096
EMBEDDING, OUTPUT = "token_embd.weight", "output.weight"


@dataclass(frozen=True)
class ModelShape:
    """A model as far as its memory depends on it; `weights` and `first_block` are bytes.

    `heads` and `kv_heads` have one entry for each layer; a layer without them keeps a state instead
    of a cache, of `recurrent_state` elements. `weights` is what goes to the GPU: all but the token
    embedding, which stays in the computer's memory unless the output uses it too. `is_exact`: they
    were added up, tensor by tensor; otherwise `weights` is the whole file. `window` is the number
    of tokens of a sliding window, 0 for none.
    """

    architecture: str
    embedding: int
    heads: tuple[int, ...]
    kv_heads: tuple[int, ...]
    key_length: int
    value_length: int
    trained_context: int
    vocabulary: int
    feed_forward: int
    weights: int
    first_block: int = 0
    window: int = 0
    recurrent_state: int = 0
    is_embedding: bool = False
    is_exact: bool = True

    @property
    def most_heads(self) -> int:
        """The heads of the layer that has most."""
        return max(self.heads, default=1)

    @property
    def has_flash_attention(self) -> bool:
        """Tell whether Ollama lets the model use flash attention (fs/ggml, SupportsFlashAttention).

        A quantised KV cache needs it; without it the cache is f16, whatever is declared.
        """
        if self.is_embedding or self.architecture in ("gemma2", "grok"):
            return False
        return self.key_length == self.value_length != 0


class Incomplete(Exception):
    """The model does not tell what its memory depends on; the text names what is missing."""


def from_header(header: Header, file_size: int, projector: int = 0) -> ModelShape:
    """Return the shape of a model whose header was read; sizes in bytes. Raises Incomplete.

    `projector` is the size of a separate file for images, which goes to the GPU whole.
    """
    length = header.lengths.get("tokenizer.ggml.tokens", 0)
    with _readable():
        return _shape(header.values, header.tensors, file_size, projector, length)


def from_show(answer: Mapping[str, Any], file_size: int) -> ModelShape:
    """Return the shape of a model from /api/show; `file_size` from /api/tags. Raises Incomplete."""
    with _readable():
        tensors = tuple(_tensor(one) for one in answer.get("tensors") or ()) or None
        values = {
            key: tuple(value) if isinstance(value, list) else value
            for key, value in (answer.get("model_info") or {}).items()
        }
        return _shape(values, tensors, file_size, 0, 0)


@contextmanager
def _readable() -> Iterator[None]:
    """Name what a model tells in another shape than it should. Raises Incomplete."""
    try:
        yield
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise Incomplete(f"what it tells of itself cannot be read ({error})") from None


def _tensor(told: Mapping[str, Any]) -> Tensor:
    shape = tuple(int(length) for length in told.get("shape") or ())
    return Tensor(str(told.get("name")), shape, tensor_size(shape, str(told.get("type"))))


def _shape(
    values: Mapping[str, Any],
    tensors: tuple[Tensor, ...] | None,
    file_size: int,
    projector: int,
    vocabulary: int,
) -> ModelShape:
    architecture = str(values.get("general.architecture", ""))

    def own(key: str, default: int = 0) -> int:
        value = values.get(f"{architecture}.{key}", default)
        return int(max(value, default=default) if isinstance(value, tuple) else value or 0)

    blocks, embedding = own("block_count"), own("embedding_length")
    if not (architecture and 0 < blocks <= MOST_BLOCKS and embedding > 0):
        raise Incomplete("it does not tell its architecture, block_count or embedding_length")
    heads = _per_layer(values.get(f"{architecture}.attention.head_count", 1), blocks)
    kv_heads = _per_layer(values.get(f"{architecture}.attention.head_count_kv", 1), blocks)
    head = embedding // max(1, min((n for n in heads if n), default=1))
    found = {tensor.name: tensor for tensor in tensors or ()}
    table = found.get(EMBEDDING)
    return ModelShape(
        architecture=architecture,
        embedding=embedding,
        heads=heads,
        kv_heads=kv_heads,
        key_length=own("attention.key_length", head),
        value_length=own("attention.value_length", head),
        trained_context=own("context_length"),
        vocabulary=table.shape[-1] if table and table.shape else vocabulary or own("vocab_size"),
        feed_forward=own("feed_forward_length", 4 * embedding),
        weights=(_on_gpu(tensors) if _are_known(tensors) else file_size) + projector,
        first_block=_sum(t for t in tensors or () if t.name.startswith("blk.0."))
        or file_size // (blocks + 1),
        window=own("attention.sliding_window"),
        recurrent_state=_state(own),
        is_embedding=f"{architecture}.pooling_type" in values,
        is_exact=_are_known(tensors),
    )


def _per_layer(value: Any, blocks: int) -> tuple[int, ...]:
    """Return a number for each layer; a list that is too short goes on with 1, as in Ollama."""
    if not isinstance(value, tuple):
        return (int(value),) * blocks
    numbers = tuple(int(one) for one in value[:blocks])
    rest = numbers[0] if len(numbers) == 1 else 1
    return numbers + (rest,) * (blocks - len(numbers))


def _are_known(tensors: tuple[Tensor, ...] | None) -> bool:
    return bool(tensors) and all(tensor.size is not None for tensor in tensors or ())


def _sum(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.size or 0 for tensor in tensors)


def _on_gpu(tensors: tuple[Tensor, ...] | None) -> int:
    """Return the bytes of all tensors but the token embedding, where the output has its own."""
    has_output = any(tensor.name == OUTPUT for tensor in tensors or ())
    return _sum(t for t in tensors or () if not (has_output and t.name == EMBEDDING))


def _state(own: Any) -> int:
    """Return the elements of a recurrent layer's state (Mamba and its kin), as Ollama counts."""
    kernel, state, inner = own("ssm.conv_kernel"), own("ssm.state_size"), own("ssm.inner_size")
    convolution = (kernel - 1) * (inner + 2 * own("ssm.group_count") * state) if kernel else 0
    return int(convolution + state * inner)
