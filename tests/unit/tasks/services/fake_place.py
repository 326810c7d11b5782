"""A stack of two services on the fake engine, run in this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from typing import Any

import docker

from tasks.database.database import rows_of
from tasks.records.lockfile import LockFile
from tasks.records.proven import ServiceLock
from tasks.run.run import Run
from tests.fake import content
from tests.fake.deaths import Mortal
from tests.fake.here import HOST, Here
from tests.fake.host import REPOSITORY, FakeHost
from tests.fake.kept import Kept
from tests.fake.lies import says
from tests.fake.parts import KeptScreen
from tests.lies.installation import Installation, free_ports
from tests.scenarios.place import EXTRA, Outcome
from tests.scenarios.scenarios import ENDS, MUTE, NEWER

IMAGES = {
    NEWER: content.image("0.17.4"),
    ENDS: content.image("0.24.0", "exits"),
    MUTE: content.image("0.24.0", "generates nothing"),
}


class FakePlace:
    """See Place. `put_back` brings the converged stack back."""

    def __init__(self, folder: Path, gate: Mortal, host: FakeHost) -> None:
        self.gate, self.host = gate, host
        own = folder / "installation"
        own.mkdir()
        self.stack = Installation(own, host)
        self.stack.declared["models"]["mistral"] = {"active": False}
        self.prefix = self.stack.prefix
        self.client = docker.DockerClient(base_url=f"unix://{host.socket}")
        self.here = Here(self.stack.declared, gate)
        for reference, parts in IMAGES.items():
            host.registry.put(REPOSITORY, reference.rpartition(":")[2], parts)
        outcome = self.run("stack")
        assert outcome.ok, outcome.said
        (folder / "kept").mkdir()
        self.kept = Kept(host.engine, folder / "kept", own)
        self.declared = deepcopy(self.stack.declared)
        self.free_port = free_ports(1)[0]

    def put_back(self) -> None:
        """Bring the stack and its declaration back to where they were."""
        self.kept.put_back()
        self.here.declared = self.stack.declared = deepcopy(self.declared)

    def declare(self, service: str = "", **changes: Any) -> None:
        """Change the declaration."""
        models = self.stack.declared["models"]
        if service and not changes:
            del models[service]
        elif service:
            models.setdefault(service, {}).update(changes)
        else:
            self.stack.declared.update(changes)

    def run(self, deploy: str, **options: Any) -> Outcome:
        """Do what a deploy does."""
        name = {"stack": "converge"}.get(deploy, deploy)
        run: Run = getattr(self.here, name)(**options)
        assert isinstance(run.teller.screen, KeptScreen)
        said = "\n".join(run.teller.screen.lines)
        return Outcome(not run.teller.failures, not run.teller.taken, said)

    def port(self, service: str) -> int:
        """Return the declared port of a service."""
        if service == EXTRA:
            return self.free_port
        return int(self.stack.declared["models"][service]["port"])

    def locked(self, service: str) -> ServiceLock:
        """Return what the lock holds of a service."""
        return LockFile.load(Path(self.stack.declared["lock"])).service(HOST, service)

    def status(self, service: str) -> str:
        """Return what the database says of a service."""
        rows = rows_of(Path(self.stack.declared["database"]), "models")
        return next((str(row["status"]) for row in rows if row["name"] == service), "")

    @contextmanager
    def moved(self, service: str, *, works: bool = True) -> Iterator[str]:
        """Let the registry offer another model."""
        repository = f"library/tiny-{service}"
        before = self.host.registry.tags[repository, "v1"]
        behaviour = "works" if works else "breaks"
        parts = content.model(f"tiny-{service}", behaviour=behaviour, build=2)
        yield self.host.registry.put(repository, "v1", parts)
        self.host.registry.tags[repository, "v1"] = before

    @contextmanager
    def broken_pulls(self) -> Iterator[None]:
        """Let the registry of models fail."""
        self.gate.aim(says("{}", 500), server="registry", path="/library/")
        yield
        self.gate.be_honest()
