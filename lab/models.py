"""The model registry's contents, built by the real Ollama; and its moving tags."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lab import engine, state
from lab.catalogue import LATEST, MODELS, MOVING, NAMESPACE, TinyModel
from lab.errors import LabError
from lab.http import demand, request
from lab.images import NEWER, REPOSITORY
from lab.paths import lab_id
from lab.registry import WEIGHTS, Manifest, digest_of
from lab.say import step
from lab.servers import model_registry
from lab.settings import free_port
from lab.state import LabState

BUILDER_SECONDS = 60
# To be raised when the models are made in another way.
RECIPE = 1


@dataclass(frozen=True)
class RegisteredModel:
    """A tag at the model registry and the digest of its manifest."""

    name: str
    tag: str
    digest: str


def recipe() -> str:
    """Return everything that the models are made from, as text."""
    return json.dumps([RECIPE, NEWER, *(repr(model) for model in MODELS), MOVING], sort_keys=True)


def build(lab: LabState) -> None:
    """Make all models with the real Ollama, in a container, and push them to the registry."""
    with step("Build the tiny models with Ollama"), _builder(lab) as url:
        for model in MODELS:
            _create(url, lab, model)
        registry = model_registry(lab)
        for name, tag in MOVING.items():
            registry.move_tag(f"{NAMESPACE}/{name}", LATEST, tag)


def registered() -> tuple[RegisteredModel, ...]:
    """Return all models of the registry with their digests."""
    registry = model_registry(state.load())
    return tuple(
        RegisteredModel(repository.removeprefix(f"{NAMESPACE}/"), tag, digest)
        for repository in registry.repositories()
        for tag in registry.tags(repository)
        for digest in (registry.digest(repository, tag),)
    )


def digest(name: str, tag: str) -> str:
    """Return the digest of a model's manifest at the registry, as `/api/tags` will show it."""
    return model_registry(state.load()).digest(f"{NAMESPACE}/{name}", tag)


def manifest(name: str, tag: str) -> Manifest:
    """Return a model's manifest at the registry."""
    return model_registry(state.load()).manifest(f"{NAMESPACE}/{name}", tag)


def weights_digest(name: str, tag: str) -> str:
    """Return the digest of a model's largest blob, its weights."""
    return manifest(name, tag).layer_digests(WEIGHTS)[0]


def _create(url: str, lab: LabState, model: TinyModel) -> None:
    from lab.weights import write  # noqa: PLC0415 - numpy is only needed to build

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.gguf"
        write(model.weights, path)
        content = path.read_bytes()
    weights = digest_of(content)
    demand("POST", f"{url}/api/blobs/{weights}", content, timeout=120)
    name = f"{lab.model_registry}/{model.repository}:{model.tag}"
    created = {
        "model": name,
        "files": {"model.gguf": weights},
        "template": model.template,
        "stream": False,
    }
    demand("POST", f"{url}/api/create", json.dumps(created).encode(), timeout=120)
    pushed = {"model": name, "insecure": True, "stream": False}
    demand("POST", f"{url}/api/push", json.dumps(pushed).encode(), timeout=300)


@contextmanager
def _builder(lab: LabState) -> Iterator[str]:
    """Run Ollama in a container for the time of a block; yield its address."""
    client = engine.client(lab.engine.socket, 300)
    image = f"{lab.image_mirror}/{REPOSITORY}:{NEWER}"
    was_here = engine.has_image(client, image)
    client.images.pull(image)
    port = free_port()
    container = client.containers.create(
        image,
        name=f"ollama-stack-lab-builder-{lab_id()}",
        labels=engine.labels(),
        ports={"11434/tcp": ("127.0.0.1", port)},
        environment={"OLLAMA_MODELS": "/tmp/models"},
    )
    try:
        container.start()
        url = f"http://127.0.0.1:{port}"
        _wait_for(url)
        yield url
    finally:
        container.remove(force=True, v=True)
        # The product pulls it by itself; here it was only needed to build with.
        if not was_here:
            engine.remove_image(client, image)


def _wait_for(url: str) -> None:
    limit = time.monotonic() + BUILDER_SECONDS
    while request("GET", f"{url}/api/version", timeout=2).status != 200:
        if time.monotonic() > limit:
            raise LabError("Ollama did not start in the builder container", "run again")
        time.sleep(0.1)
