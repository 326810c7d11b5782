"""Where a model's shape comes from: its server, else the beginning of its file at the registry."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lab.weights import Weights, write
from tasks.containers.observed import ObservedServer, ServedModel, Snapshot
from tasks.declared.stack import Stack
from tasks.registry.manifests import RegistryFault, look_up_model
from tasks.shell.local import Result
from tasks.vram import look
from tasks.vram.look import rows
from tasks.vram.plan import Row
from tests.unit.tasks.said import enveloped
from tests.unit.tasks.samples import DIGEST, OTHER_DIGEST, stack

STACK = stack(gpu="auto", model_registry="registry.lan:5000", model_registry_insecure=True)
QWEN = STACK.services[0]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("gguf") / "tiny.gguf"
    write(Weights("tiny", ("one",), 7), Path(path))
    return path.read_bytes()


@dataclass
class Registry:
    """A shell on which curl reaches a registry with one file, which it may damage."""

    file: bytes
    stack: Stack = STACK
    manifests: dict[tuple[str, str], Any] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)
    kind: str = "application/vnd.ollama.image.model"
    is_mute: bool = False

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        if "/blobs/" in script:
            match = re.search(r"-r 0-(\d+)", script)
            assert match is not None
            self.asked.append(int(match[1]) + 1)
            part = gzip.compress(b"" if self.is_mute else self.file[: self.asked[-1]])
            return Result(True, enveloped(part), "")
        digest = f"sha256:{hashlib.sha256(self.file).hexdigest()}"
        layer = {"digest": digest, "size": len(self.file), "mediaType": self.kind}
        body = json.dumps({"layers": [layer]})
        reply = f"HTTP/1.1 200 OK\r\n\r\n{body}\n200 {len(body)}"
        return Result(True, enveloped(reply), "")


def first_row(registry: Registry, snapshot: Snapshot | None = None) -> Row:
    return rows(registry, [QWEN], snapshot or Snapshot(), lambda service: {})[0]


def test_the_header_is_read_before_the_download(file: bytes) -> None:
    registry = Registry(file)
    row = first_row(registry)
    assert row.shape is not None and row.shape.architecture == "llama"
    assert row.shape.is_exact


def test_no_more_is_read_than_the_header_takes(file: bytes, monkeypatch: Any) -> None:
    monkeypatch.setattr(look, "STEPS", (512, 4096, 10**6))
    registry = Registry(file + b"\0" * 10**6)
    row = first_row(registry)
    assert registry.asked == [512, 4096, 10**6]
    assert row.shape is not None and row.shape.is_exact


def test_a_header_too_long_to_read_counts_the_whole_file(file: bytes, monkeypatch: Any) -> None:
    end = file.index(b"tokenizer.ggml.scores")
    monkeypatch.setattr(look, "STEPS", (end,))
    row = first_row(Registry(file))
    assert row.shape is not None and row.shape.weights == len(file)


def test_a_file_that_is_none_is_named() -> None:
    assert "cannot be read" in first_row(Registry(b"<html>" * 100)).unknown


def test_a_registry_that_gives_no_bytes_is_named(file: bytes) -> None:
    assert "could not be read" in first_row(Registry(file, is_mute=True)).unknown


def test_a_model_in_several_files_is_left_open(file: bytes) -> None:
    row = first_row(Registry(file, kind="application/vnd.ollama.image.tensor"))
    assert row.unknown == "it is in several files"


def test_what_a_server_holds_is_asked_of_it_unless_another_one_is_meant(file: bytes) -> None:
    held = ServedModel(QWEN.model, DIGEST, len(file))
    snapshot = Snapshot(servers={"qwen": ObservedServer("0.24.0", {QWEN.model: held})})
    silent = first_row(Registry(file), snapshot)
    assert silent.unknown == "its server does not tell"
    registry = Registry(file)
    (gone,) = rows(registry, [QWEN], snapshot, lambda service: {QWEN.model: OTHER_DIGEST})
    assert gone.unknown == "the registry offers another one now"
    offered = look_up_model(registry, QWEN.model)
    assert not isinstance(offered, RegistryFault)
    (moved,) = rows(registry, [QWEN], snapshot, lambda service: {QWEN.model: offered.digest})
    assert moved.shape is not None


def test_only_services_that_may_use_the_gpu_are_looked_at(file: bytes) -> None:
    off = QWEN.model_copy(update={"gpu": "off"})
    inactive = QWEN.model_copy(update={"active": False})
    assert rows(Registry(file), [off, inactive], Snapshot(), lambda service: {}) == ()
