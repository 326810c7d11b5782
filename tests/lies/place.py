"""A converged stack on a fake host, and how it was when all was well."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.fake.host import FakeHost
from tests.fake.kept import Kept
from tests.lies.installation import SERVICES, Installation

# The service that is not as declared when a run begins, so that there is something to do.
ODD_ONE = "mistral"


class Place:
    """A host, its installation, and the state that is put back after each test."""

    def __init__(self, folder: Path, host: FakeHost) -> None:
        self.host = host
        self.stack = Installation(folder / "installation", host)
        output = self.stack.converge()
        assert output.status == 0, output.text
        (folder / "kept").mkdir()
        self.kept = Kept(host.engine, folder / "kept", self.stack.folder)
        self._declared = dict(self.stack.declared)

    def put_back(self) -> None:
        """Bring everything back to how it was when all was well."""
        self.host.liar.be_honest()
        self.kept.put_back()
        self.stack.declared = dict(self._declared)
        self.host.record.clear()

    def disturb(self, number: int) -> None:
        """Let one service not be as declared: by turns nothing, its model, or its container."""
        name = self.stack.name(ODD_ONE)
        container = self.host.containers[name]
        if number % 4 == 1:
            shutil.rmtree(self.host.store(name).folder / "models")
        elif number % 4 == 2:
            self.host.engine.stop(container)
        elif number % 4 == 3:
            self.host.engine.stop(container)
            del self.host.engine.containers[container.id]

    def serving(self, *but: str) -> dict[str, tuple[str, str, dict[str, str]]]:
        """Return id, state and models of each service, but for some."""
        found = {}
        for name in (self.stack.name(service) for service in SERVICES if service not in but):
            container = self.host.containers.get(name)
            store = self.host.store(name)
            held = {model: store.digest(model) for model in store.names()}
            found[name] = (container.id, container.status, held) if container else ("", "", held)
        return found
