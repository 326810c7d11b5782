"""Names of images and models."""

from __future__ import annotations

import pytest

from tasks.declared.references import ImageReference, ModelReference


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("ollama/ollama:0.24.0", ("docker.io", "ollama/ollama", "0.24.0")),
        ("ubuntu:24.04", ("docker.io", "library/ubuntu", "24.04")),
        ("host:5000/ollama/ollama:1", ("host:5000", "ollama/ollama", "1")),
        ("localhost/x:1", ("localhost", "x", "1")),
    ],
)
def test_images(text: str, parts: tuple[str, str, str]) -> None:
    image = ImageReference.parse(text)
    assert (image.registry, image.repository, image.tag) == parts
    assert str(image) == text


@pytest.mark.parametrize("text", ["", "ollama/ollama", "UPPER:1", "a b:1", "x:1:2", "http://x:1"])
def test_what_is_no_image_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="should be an image"):
        ImageReference.parse(text)


def test_a_mirror_stands_in_for_docker_hub_only() -> None:
    assert str(ImageReference.parse("ollama/ollama:1").at("m:5000")) == "m:5000/ollama/ollama:1"
    assert str(ImageReference.parse("ghcr.io/x/y:1").at("m:5000")) == "ghcr.io/x/y:1"


@pytest.mark.parametrize(
    ("text", "shown", "path"),
    [
        ("qwen2.5-coder:7b", "qwen2.5-coder:7b", "library/qwen2.5-coder/manifests/7b"),
        ("mistral", "mistral:latest", "library/mistral/manifests/latest"),
        ("me/x:Q4_K_M", "me/x:Q4_K_M", "me/x/manifests/Q4_K_M"),
    ],
)
def test_models(text: str, shown: str, path: str) -> None:
    model = ModelReference.parse(text)
    assert (str(model), model.manifest_path) == (shown, path)
    assert model.at("") == shown
    assert model.at("r:5002").startswith("r:5002/")


@pytest.mark.parametrize("text", ["", "a b", "x:", ":7b", "a/b/c:1", "-x:1", "x;rm:1"])
def test_what_is_no_model_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="should be a model"):
        ModelReference.parse(text)
