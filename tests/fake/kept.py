"""A state of the fake host that is kept, and put back: whole, and without any request."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from types import TracebackType

from tests.fake.containers import Container
from tests.fake.engine import FakeEngine


class Kept:
    """The containers, images, volumes and files of one moment; `files` are folders kept beside."""

    def __init__(self, engine: FakeEngine, beside: Path, *files: Path) -> None:
        self._engine, self._beside = engine, beside
        self._containers = [(c, c.name, c.status) for c in engine.containers.values()]
        self._images = copy.deepcopy(engine.images.all)
        self._volumes = dict(engine.volumes.all)
        self._folders = [engine.volumes.root, *files]
        for number, folder in enumerate(self._folders):
            shutil.copytree(folder, beside / str(number), symlinks=True)

    def __enter__(self) -> Kept:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.put_back()

    def put_back(self) -> None:
        """Bring everything back to that moment."""
        engine = self._engine
        kept = [container for container, _, _ in self._containers]
        for container in list(engine.containers.values()):
            if container not in kept:
                engine.stop(container)
        engine.images.all = copy.deepcopy(self._images)
        engine.volumes.all = dict(self._volumes)
        for number, folder in enumerate(self._folders):
            shutil.rmtree(folder)
            shutil.copytree(self._beside / str(number), folder, symlinks=True)
        engine.containers = {container.id: container for container in kept}
        for container, name, status in self._containers:
            self._put_back(container, name, status)

    def _put_back(self, container: Container, name: str, status: str) -> None:
        container.name = name
        container.image = self._engine.images.all[container.image.id]
        if container.status != status:
            self._engine.stop(container)
            if status == "running":
                self._engine.start(container)
        elif container.server is not None:
            container.server.loaded.clear()
