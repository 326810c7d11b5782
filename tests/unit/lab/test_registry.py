"""Manifests and where a registry's storage keeps blobs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.registry import WEIGHTS, Manifest, Registry, blob_file, digest_of

CONTENT = json.dumps(
    {
        "config": {"digest": "sha256:cc"},
        "layers": [
            {"digest": "sha256:aa", "mediaType": WEIGHTS},
            {"digest": "sha256:bb", "mediaType": "application/vnd.ollama.image.template"},
        ],
    }
).encode()


def test_a_manifest_is_named_by_its_bytes() -> None:
    assert Manifest(CONTENT).digest == digest_of(CONTENT)
    assert Manifest(CONTENT + b" ").digest != Manifest(CONTENT).digest


def test_layers_are_found_by_their_media_type() -> None:
    assert Manifest(CONTENT).layer_digests() == ("sha256:aa", "sha256:bb")
    assert Manifest(CONTENT).layer_digests(WEIGHTS) == ("sha256:aa",)


def test_a_blob_has_its_place() -> None:
    name = "ab" * 32
    expected = f"/x/docker/registry/v2/blobs/sha256/ab/{name}/data"
    assert str(blob_file(Path("/x"), f"sha256:{name}")) == expected
    with pytest.raises(LabError):
        blob_file(Path("/x"), "sha256:../../etc")


def test_a_registry_that_is_not_there_is_named() -> None:
    registry = Registry("127.0.0.1:1")
    assert not registry.is_up()
    with pytest.raises(LabError, match=r"127\.0\.0\.1:1"):
        registry.manifest("library/x", "v1")
