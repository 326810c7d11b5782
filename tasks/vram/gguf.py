"""The header of a GGUF file, from its first bytes: what a model is, before it is downloaded.

Source: github.com/ggml-org/ggml, docs/gguf.md, versions 2 and 3 (little-endian).
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

MAGIC = b"GGUF"
# Types of values: how struct reads them; text and arrays are read by hand.
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q"}
_SCALARS[12] = "d"
_TEXT, _ARRAY = 8, 9
# Arrays that hold a number for each layer are short; those of the vocabulary are only counted.
MOST_NUMBERS = 1024

Value = int | float | bool | str | tuple[int | float | bool, ...]

# Tensor types: number in the file, name in /api/show, elements of a block, bytes of a block.
TENSOR_TYPES: tuple[tuple[int, str, int, int], ...] = (
    (0, "F32", 1, 4), (1, "F16", 1, 2), (2, "Q4_0", 32, 18), (3, "Q4_1", 32, 20),
    (6, "Q5_0", 32, 22), (7, "Q5_1", 32, 24), (8, "Q8_0", 32, 34),
    (10, "Q2_K", 256, 84), (11, "Q3_K", 256, 110), (12, "Q4_K", 256, 144),
    (13, "Q5_K", 256, 176), (14, "Q6_K", 256, 210), (15, "Q8_K", 256, 292),
    (16, "IQ2_XXS", 256, 66), (17, "IQ2_XS", 256, 74), (18, "IQ3_XXS", 256, 98),
    (19, "IQ1_S", 256, 50), (20, "IQ4_NL", 32, 18), (21, "IQ3_S", 256, 110),
    (22, "IQ2_S", 256, 82), (23, "IQ4_XS", 256, 136), (24, "I8", 1, 1), (25, "I16", 1, 2),
    (26, "I32", 1, 4), (27, "I64", 1, 8), (28, "F64", 1, 8), (29, "IQ1_M", 256, 56),
    (30, "BF16", 1, 2), (34, "TQ1_0", 256, 54), (35, "TQ2_0", 256, 66), (39, "MXFP4", 32, 17),
)  # fmt: skip
_BY_NUMBER = {number: (block, size) for number, _, block, size in TENSOR_TYPES}
# Ollama's own converter wrote MXFP4 as 4, a number that ggml has given up.
_BY_NUMBER[4] = _BY_NUMBER[39]
_BY_NAME = {name: (block, size) for _, name, block, size in TENSOR_TYPES}


class NotGguf(Exception):
    """The bytes are no GGUF header that this module can read."""


class TooShort(Exception):
    """The bytes end before the header does."""


@dataclass(frozen=True)
class Tensor:
    """A tensor: its dimensions, innermost first, and its bytes (None for an unknown type)."""

    name: str
    shape: tuple[int, ...]
    size: int | None


@dataclass(frozen=True)
class Header:
    """What stands before the weights. `lengths` are the lengths of all arrays, by key.

    `tensors` is None where the bytes ended before the list of tensors did.
    """

    values: Mapping[str, Value] = field(default_factory=dict)
    lengths: Mapping[str, int] = field(default_factory=dict)
    tensors: tuple[Tensor, ...] | None = None


def tensor_size(shape: tuple[int, ...], kind: int | str) -> int | None:
    """Return the bytes of a tensor; `kind` is its type's number or name, None if unknown."""
    found = _BY_NUMBER.get(kind) if isinstance(kind, int) else _BY_NAME.get(kind.upper())
    if found is None:
        return None
    block, size = found
    elements = 1
    for length in shape:
        elements *= length
    return elements * size // block


def read_header(data: bytes) -> Header:
    """Read as much of a header as the bytes hold; `tensors` is None where they end too early.

    Raises NotGguf, and TooShort where not even the model's own values are all there.
    """
    reader = _Reader(data)
    if reader.take(4) != MAGIC:
        raise NotGguf("it does not begin with GGUF")
    version = reader.number("I")
    if version not in (2, 3):
        raise NotGguf(f"GGUF version {version} is not known here")
    tensor_count, value_count = reader.number("Q"), reader.number("Q")
    values: dict[str, Value] = {}
    lengths: dict[str, int] = {}
    try:
        for _ in range(value_count):
            _read_value(reader, values, lengths)
        tensors = tuple(_read_tensor(reader) for _ in range(tensor_count))
    except TooShort:
        if not _has_model(values):
            raise
        return Header(values, lengths)
    return Header(values, lengths, tensors)


def _has_model(values: Mapping[str, Value]) -> bool:
    """Tell whether the architecture's own values were read: the tokenizer's come after them."""
    name = values.get("general.architecture")
    return bool(name) and f"{name}.block_count" in values and _is_past(values)


def _is_past(values: Mapping[str, Value]) -> bool:
    return any(key.startswith("tokenizer.") for key in values)


def _read_value(reader: _Reader, values: dict[str, Value], lengths: dict[str, int]) -> None:
    key, kind = reader.text(), reader.number("I")
    if kind == _TEXT:
        values[key] = reader.text()
    elif kind == _ARRAY:
        inner, count = reader.number("I"), reader.number("Q")
        lengths[key] = count
        if inner == _TEXT:
            for _ in range(count):
                reader.skip(reader.number("Q"))
        elif count <= MOST_NUMBERS:
            code = _code(inner)
            values[key] = tuple(reader.number(code) for _ in range(count))
        else:
            reader.skip(count * struct.calcsize(f"<{_code(inner)}"))
    else:
        values[key] = reader.number(_code(kind))


def _read_tensor(reader: _Reader) -> Tensor:
    name = reader.text()
    dimensions = reader.number("I")
    if dimensions > 8:
        raise NotGguf(f"the tensor {name[:40]!r} has {dimensions} dimensions")
    shape = tuple(reader.number("Q") for _ in range(dimensions))
    kind = reader.number("I")
    reader.skip(8)
    return Tensor(name, shape, tensor_size(shape, kind))


def _code(kind: int) -> str:
    if kind not in _SCALARS:
        raise NotGguf(f"a value of the unknown type {kind}")
    return _SCALARS[kind]


class _Reader:
    """Reads forward through bytes. Raises TooShort at their end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        start = self.at
        self.skip(count)
        return self.data[start : self.at]

    def skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self.data):
            raise TooShort(f"{len(self.data)} bytes end within the header")

    def number(self, code: str) -> int:
        start = self.at
        self.skip(struct.calcsize(f"<{code}"))
        found: int = struct.unpack_from(f"<{code}", self.data, start)[0]
        return found

    def text(self) -> str:
        return self.take(self.number("Q")).decode("utf-8", errors="replace")
