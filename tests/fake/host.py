"""The whole fake host: an engine on a socket, a registry on a port, and what they offer."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from tests.fake import content
from tests.fake.containers import Container
from tests.fake.engine import FakeEngine
from tests.fake.http import Record, Request, Server, on_path, on_port
from tests.fake.lies import Liar
from tests.fake.ollama import Store
from tests.fake.registry import FakeRegistry

REPOSITORY = "ollama/ollama"
IMAGE = "0.24.0"
MODELS = ("tiny-qwen", "tiny-deepseek", "tiny-mistral")


class FakeHost:
    """A context manager: everything answers inside the block. `liar` decides what goes out.

    `registry_port`: where the registry listens; 0 takes any free port.
    """

    def __init__(self, folder: Path, liar: Liar | None = None, registry_port: int = 0) -> None:
        self.folder, self.registry_port = folder, registry_port
        self.liar = liar or Liar()
        self.record = Record()
        self.registry = FakeRegistry()
        self.engine = FakeEngine(folder, self.liar, self.record)
        # A socket's path has at most 107 bytes: folders of tests may be longer.
        self._short = tempfile.TemporaryDirectory(prefix="fake-")
        self.socket = str(Path(self._short.name) / "docker.sock")
        self.registry.put(REPOSITORY, IMAGE, content.image(IMAGE))
        for name in MODELS:
            self.registry.put(f"library/{name}", "v1", content.model(name))

    def __enter__(self) -> FakeHost:
        listener = on_port("127.0.0.1", self.registry_port)
        self.registry_port = listener.getsockname()[1]
        parts = (self.liar, self.record)
        self._servers = [
            Server("registry", listener, self.registry.handle, *parts),
            Server("engine", on_path(self.socket), self.engine.handle, *parts),
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.engine.close()
        for server in self._servers:
            server.close()
        self._short.cleanup()

    @property
    def registry_name(self) -> str:
        """The registry as the product names it."""
        return f"127.0.0.1:{self.registry_port}"

    @property
    def containers(self) -> Mapping[str, Container]:
        """The containers that are there, by name."""
        return {container.name: container for container in self.engine.containers.values()}

    def store(self, volume: str) -> Store:
        """Return the models on a volume."""
        return Store(self.engine.volumes.all[volume].folder)

    def state(self) -> dict[str, object]:
        """Return what serves: ids of running containers, volumes, and models with their digests."""
        return {
            "running": {c.name: c.id for c in self.containers.values() if c.status == "running"},
            "models": {
                name: {model: self.store(name).digest(model) for model in self.store(name).names()}
                for name in self.engine.volumes.all
            },
        }

    def requests(self, server: str = "", method: str = "", path: str = "") -> list[Request]:
        """Return the requests that came."""
        return self.record.of(server, method, path)
