"""A fake host, asked by clients that others wrote: Docker's SDK and Ollama's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import ollama
import pytest

from tests.fake.host import FakeHost
from tests.lies.installation import free_ports

NAME = "ollama-qwen"
MODEL = "tiny-qwen:v1"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[FakeHost]:
    with FakeHost(tmp_path) as running:
        yield running


@pytest.fixture
def client(host: FakeHost) -> Iterator[docker.DockerClient]:
    made = docker.DockerClient(base_url=f"unix://{host.socket}")
    yield made
    made.close()


@pytest.fixture
def image(host: FakeHost, client: docker.DockerClient) -> str:
    """The image, pulled; returns its reference."""
    repository = f"{host.registry_name}/ollama/ollama"
    client.images.pull(repository, tag="0.24.0")
    return f"{repository}:0.24.0"


@pytest.fixture
def port() -> int:
    return free_ports(1)[0]


@pytest.fixture
def container(client: docker.DockerClient, image: str, port: int) -> Any:
    """A running container with a volume."""
    made = client.containers.create(
        image,
        name=NAME,
        labels={"ollama-stack.stack": "ollama-"},
        ports={"11434/tcp": ("127.0.0.1", port)},
        mounts=[docker.types.Mount("/root/.ollama", NAME, type="volume")],
    )
    made.start()
    made.reload()
    return made


@pytest.fixture
def server(container: Any, port: int) -> ollama.Client:
    """Its server, as Ollama's own client sees it."""
    return ollama.Client(f"http://127.0.0.1:{port}")
