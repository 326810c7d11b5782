"""Tiny models: the same bytes everywhere, and a chain that says the sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gguf import GGUFReader

from lab.catalogue import CALLED_TOOL, CALLED_WITH, MODELS, MOVING, TinyModel
from lab.weights import END, Weights, write

SMALL = [model for model in MODELS if model.weights.shape.width == 32]
# What every machine must make: another value is another digest of every model, everywhere.
QWEN_V1 = "4f5b76cd24db7c99e18e1047f9b1c34c2bc2d140d1b82f7519fe558d4339beed"


def find(name: str, tag: str) -> TinyModel:
    return next(model for model in MODELS if (model.name, model.tag) == (name, tag))


def read(weights: Weights, folder: Path) -> GGUFReader:
    write(weights, folder / "model.gguf")
    return GGUFReader(folder / "model.gguf")


def tensor(reader: GGUFReader, name: str) -> Any:
    return next(found.data for found in reader.tensors if found.name == name)


def tokens(reader: GGUFReader) -> list[str]:
    field = reader.fields["tokenizer.ggml.tokens"]
    return [bytes(field.parts[index]).decode() for index in field.data]


def test_the_bytes_are_the_same_on_every_machine(tmp_path: Path) -> None:
    write(find("tiny-qwen", "v1").weights, tmp_path / "model.gguf")
    assert hashlib.sha256((tmp_path / "model.gguf").read_bytes()).hexdigest() == QWEN_V1


def test_versions_differ(tmp_path: Path) -> None:
    found = set()
    for model in SMALL:
        write(model.weights, tmp_path / "model.gguf")
        found.add(hashlib.sha256((tmp_path / "model.gguf").read_bytes()).hexdigest())
    assert len(found) == len(SMALL)


@pytest.mark.parametrize("model", SMALL, ids=lambda model: f"{model.name}:{model.tag}")
def test_each_token_leads_to_the_next_and_to_the_end(model: TinyModel, tmp_path: Path) -> None:
    reader = read(model.weights, tmp_path)
    embedding, output = tensor(reader, "token_embd.weight"), tensor(reader, "output.weight")
    texts = tokens(reader)
    token, said = texts.index("▁the"), ""
    for _ in model.weights.sentence:
        token = int(np.argmax(output @ embedding[token]))
        said += texts[token].replace("▁", " ")
    assert said == "".join(model.weights.sentence)
    assert int(np.argmax(output @ embedding[token])) == END


def test_no_token_is_there_twice(tmp_path: Path) -> None:
    for model in SMALL:
        texts = tokens(read(model.weights, tmp_path))
        assert len(texts) == len(set(texts))


def test_the_broken_model_lacks_a_tensor(tmp_path: Path) -> None:
    reader = read(find("tiny-broken", "v1").weights, tmp_path)
    assert "blk.0.attn_q.weight" not in [found.name for found in reader.tensors]


def test_templates_give_the_capabilities_of_the_namesakes() -> None:
    def mentions(name: str, word: str) -> bool:
        return word in find(name, "v1").template

    assert mentions("tiny-qwen", ".Tools") and mentions("tiny-qwen", ".Suffix")
    assert mentions("tiny-mistral", ".Tools") and not mentions("tiny-mistral", ".Suffix")
    assert not mentions("tiny-deepseek", ".Tools") and not mentions("tiny-deepseek", ".Suffix")


def test_the_caller_says_a_call_and_the_thinker_a_thought() -> None:
    call = json.loads("".join(find("tiny-caller", "v1").weights.sentence))
    assert call == {"name": CALLED_TOOL, "arguments": CALLED_WITH}
    thinker = find("tiny-thinker", "v1")
    assert "<think>{{ .Thinking }}</think>" in thinker.template
    assert ".Tools" not in thinker.template
    said = "".join(thinker.weights.sentence)
    assert said.startswith("<think>Someone asks me.</think>I am tiny-thinker v1,")


def test_moving_tags_begin_at_a_model_that_exists() -> None:
    for name, tag in MOVING.items():
        assert find(name, tag)
