"""One host with one service on it: what happens there, run after run, and what must hold always."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.declared.stack import KEPT
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven, ServiceLock
from tasks.run.run import Run
from tests.fake import content
from tests.fake.containers import Container
from tests.fake.deaths import Death, Mortal
from tests.fake.here import HOST, Here, own_lock_folder
from tests.fake.host import IMAGE, REPOSITORY, FakeHost
from tests.fake.kept import Kept
from tests.lies.installation import Installation, free_ports

SERVICE, MODEL = "qwen", "tiny-qwen:v1"
OTHER = "somebody-elses"
IMAGES = {
    "a": content.image(IMAGE),
    "b": content.image(IMAGE, build=2),
    "c": content.image("0.25.0"),
    "ends": content.image(IMAGE, "exits"),
    "mute": content.image(IMAGE, "generates nothing"),
}
MODELS = {
    "a": content.model("tiny-qwen"),
    "b": content.model("tiny-qwen", build=2),
    "c": content.model("tiny-qwen", build=3),
    "broken": content.model("tiny-qwen", behaviour="breaks"),
}
WORKING = {parts.digest for name, parts in (*IMAGES.items(), *MODELS.items()) if len(name) == 1}
# An upgrade makes eighteen changes; one that is undone a few more.
MOST_CHANGES = 24


@dataclass(frozen=True)
class Event:
    """One thing that happens: what is run, what registries offer then, and when it is killed."""

    kind: str
    image: str = "a"
    model: str = "a"
    killed_at: int = 0
    is_before: bool = True

    @classmethod
    def drawn(cls, rng: random.Random) -> Event:
        """Draw an event."""
        return cls(
            rng.choice(("upgrade", "upgrade", "rollback", "converge")),
            rng.choice(list(IMAGES)),
            rng.choice(list(MODELS)),
            rng.choice((0, rng.randint(1, MOST_CHANGES), rng.randint(1, MOST_CHANGES))),
            rng.random() < 0.5,
        )


class World:
    """The host, its stack, and somebody else's container beside it."""

    def __init__(self, folder: Path) -> None:
        self.gate = Mortal()
        self.host = FakeHost(folder / "host", self.gate)
        self.folder = folder

    def begin(self) -> None:
        """Bring the stack up, and keep that state."""
        own = self.folder / "installation"
        own.mkdir()
        self.stack = Installation(own, self.host)
        models = {name: {"active": False} for name in ("deepseek", "mistral")}
        models[SERVICE] = self.stack.declared["models"][SERVICE]
        self.stack.declared["models"] = models
        self.here = Here(self.stack.declared, self.gate)
        self.aside, self.name = self.stack.name(SERVICE) + "-previous", self.stack.name(SERVICE)
        self.other = self._somebody_elses()
        self.offer("a", "a")
        assert self.here.converge().teller.failures == []
        (self.folder / "kept").mkdir()
        self.kept = Kept(self.host.engine, self.folder / "kept", own)

    def _somebody_elses(self) -> Container:
        engine = self.host.engine
        reference = f"{self.host.registry_name}/{REPOSITORY}"
        self.host.registry.put(REPOSITORY, "other", content.image("0.11.0"))
        list(engine.images.pull(reference, "other"))
        image = engine.images.find(f"{reference}:other")
        assert image is not None
        ports = {"11434/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(free_ports(1)[0])}]}
        body = {"Image": f"{reference}:other", "HostConfig": {"PortBindings": ports}}
        made = Container("f" * 64, OTHER, image, body)
        engine.containers[made.id] = made
        engine.volumes.create(OTHER)
        engine.start(made)
        return made

    def put_back(self, *, keep: bool) -> None:
        """Begin a history: all is as it was, whether what was before is kept or not."""
        self.kept.put_back()
        self.gate.be_honest()
        self.offer("a", "a")
        self.stack.declared["keep_previous"] = keep

    def offer(self, image: str, model: str) -> None:
        """Let the registries offer these."""
        self.host.registry.put(REPOSITORY, IMAGE, IMAGES[image])
        self.host.registry.put("library/tiny-qwen", "v1", MODELS[model])

    def happen(self, event: Event) -> Run:
        """Let an event happen, and see that what must hold always holds after it."""
        self.offer(event.image, event.model)
        run: Run = getattr(self.here, event.kind)(Death(event.killed_at, event.is_before))
        self.check()
        return run

    def check(self) -> None:
        """See that what worked is there, others are untouched, and the lock is proven."""
        containers = self.host.containers
        for proven in self.proven():
            assert proven.digest in WORKING, "the lock holds what never worked"
        ours = [c for c in containers.values() if c.name != OTHER]
        left = {d.rpartition("@")[2] for c in ours for d in c.image.digests}
        assert left & WORKING, "the last container that worked is gone"
        assert (containers.get(OTHER), self.other.status) == (self.other, "running")
        assert OTHER in self.host.engine.volumes.all

    def proven(self) -> Iterator[Proven]:
        """Return everything that the lock holds, and held before."""
        lock = self.lock()
        for one in (lock.image, *lock.models.values()):
            yield from (proven for proven in (one, one and one.previous) if proven)

    def lock(self) -> ServiceLock:
        """Return what the lock holds of the service."""
        return LockFile.load(Path(self.stack.declared["lock"])).service(HOST, SERVICE)

    def settle(self) -> None:
        """See that a converge is whole, that another one does nothing, and nothing is left over."""
        run = self.here.converge()
        assert run.teller.failures == [], "a converge comes to its end"
        death = Death()
        again = self.here.converge(death)
        assert (again.teller.failures, again.teller.taken, death.changes) == ([], [], 0)
        self.check()
        self._nothing_is_left_over()

    def _nothing_is_left_over(self) -> None:
        assert set(self.host.containers) == {self.name, OTHER}
        container, lock = self.host.containers[self.name], self.lock()
        assert container.status == "running"
        assert lock.image is not None
        repository = f"{self.host.registry_name}/{REPOSITORY}"
        assert f"{repository}@{lock.image.digest}" in container.image.digests
        models = self.held()
        assert models.pop(MODEL) == lock.model_digests[MODEL]
        keep = self.stack.declared["keep_previous"]
        before = lock.previous_models.get(MODEL, "")
        copies = {MODEL + KEPT: before} if keep and before else {}
        assert models.items() <= copies.items(), "no stray copy"
        kept = {f"{repository}:{self.name}{KEPT}"} if keep and lock.image.previous else set()
        tags = {t for image in self.host.engine.images.all.values() for t in image.tags}
        assert tags == {f"{repository}:{IMAGE}", f"{repository}:other"} | kept, "no stray tag"
        assert all(image.tags for image in self.host.engine.images.all.values())

    def held(self) -> dict[str, str]:
        """Return the digests of the models on the volume, by name."""
        store = self.host.store(self.name)
        return {name: store.digest(name) for name in store.names()}

    def serving(self) -> tuple[Any, ...]:
        """Return what serves: the container, its image, its models."""
        container = self.host.containers[self.name]
        return container.id, container.image.id, self.held()


@contextmanager
def worlds(folder: Path) -> Iterator[World]:
    """A world for many histories; `put_back` begins each of them."""
    world = World(folder)
    with own_lock_folder(folder / "locks"), world.host:
        world.begin()
        yield world
