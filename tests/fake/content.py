"""What registries offer: images and models, made of the same parts as real ones, only tiny."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
IMAGE_CONFIG = "application/vnd.docker.container.image.v1+json"
IMAGE_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
MODEL_LAYERS = "application/vnd.ollama.image."
WEIGHTS, TEMPLATE = f"{MODEL_LAYERS}model", f"{MODEL_LAYERS}template"
# How what is made from an image behaves, and a model: told by labels that only the fake reads.
VERSION_LABEL, BEHAVIOUR_LABEL = "fake.version", "fake.behaviour"


def digest_of(content: bytes) -> str:
    """Return the digest of some bytes, as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass(frozen=True)
class Parts:
    """A manifest and the blobs that it names, by digest."""

    manifest: bytes
    blobs: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """The digest of the manifest."""
        return digest_of(self.manifest)


def image(version: str = "0.24.0", behaviour: str = "serves", build: int = 1) -> Parts:
    """Make an image of Ollama. `behaviour`: "serves", "exits", or "generates nothing".

    Another `build` of the same version is another image, as after a tag moved.
    """
    layer = f"layer of {version}, {behaviour}, build {build}\n".encode() * 50
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "ExposedPorts": {"11434/tcp": {}},
            "Env": ["OLLAMA_HOST=0.0.0.0:11434", "HOME=/root", "PATH=/bin"],
            "Entrypoint": ["/bin/ollama"],
            "Cmd": ["serve"],
            "Labels": {VERSION_LABEL: version, BEHAVIOUR_LABEL: behaviour},
        },
        "rootfs": {"type": "layers", "diff_ids": [digest_of(layer)]},
    }
    return _parts(config, [(IMAGE_LAYER, layer)])


def model(
    name: str, abilities: Iterable[str] = ("completion",), behaviour: str = "works", build: int = 1
) -> Parts:
    """Make a model. `behaviour`: "works" or "breaks" (it is there and generates nothing)."""
    config = {
        "model_format": "gguf",
        "model_family": "llama",
        "capabilities": list(abilities),
        "behaviour": behaviour,
        "build": build,
    }
    return _parts(config, [(WEIGHTS, gguf(f"{name} {build}")), (TEMPLATE, b"{{ .Prompt }}")])


def _parts(config: Mapping[str, Any], layers: Iterable[tuple[str, bytes]]) -> Parts:
    settings = json.dumps(config).encode()
    blobs = [(IMAGE_CONFIG, settings), *layers]
    described = [
        {"mediaType": kind, "digest": digest_of(data), "size": len(data)} for kind, data in blobs
    ]
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": described[0],
        "layers": described[1:],
    }
    return Parts(json.dumps(manifest).encode(), {digest_of(data): data for _, data in blobs})


MODEL_INFO: dict[str, str | int] = {
    "general.architecture": "llama",
    "llama.block_count": 1,
    "llama.context_length": 32768,
    "llama.embedding_length": 32,
    "llama.feed_forward_length": 64,
    "llama.attention.head_count": 1,
    "llama.attention.head_count_kv": 1,
}


def gguf(name: str) -> bytes:
    """Return a GGUF file (version 3) of one tensor, whose weights say its name."""
    values = b"".join(
        _value(key, value) for key, value in {**MODEL_INFO, "general.name": name}.items()
    )
    tensor = _text("token_embd.weight") + struct.pack("<IQQIQ", 2, 32, 64, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 1, len(MODEL_INFO) + 1) + values + tensor
    weights = (name.encode() * 32 * 64 * 4)[: 32 * 64 * 4]
    return head + bytes(-len(head) % 32) + weights


def _value(key: str, value: str | int) -> bytes:
    kind = (
        struct.pack("<I", 8) + _text(value)
        if isinstance(value, str)
        else struct.pack("<II", 4, value)
    )
    return _text(key) + kind


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()
