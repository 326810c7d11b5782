"""One stack on the fake host, with the same names and ports in each run, and what is told of it."""

from __future__ import annotations

import copy
import fcntl
import shlex
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from tests.fake.host import FakeHost
from tests.fake.kept import Kept
from tests.lies.installation import SERVICES, Installation
from tests.recorded.product import Done, Product
from tests.recorded.state import changes, state
from tests.recorded.words import lines, of_this_machine, plain

PREFIX = "rec-"
# Below those that Linux gives to whoever asks for any. They are in labels and in what is made of
# these, so they cannot be drawn by lot; each world has a hundred.
FIRST_PORT, PORTS_OF_ONE = 27400, 100
# A busy machine is no fault of the product.
PATIENT = {"start_timeout": 30, "generate_timeout": 60, "pull_stall": 30}
Command = Callable[..., Done]


@contextmanager
def alone(number: int) -> Iterator[None]:
    """Be the only one on this machine who uses these ports; wait for whoever is there before."""
    with Path(tempfile.gettempdir(), f"ollama-stack-recorded-{number}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


class World:
    """A context manager: a host on which nothing is yet, and what is done to it.

    `number` tells its ports from those of another one that is there at the same time.
    """

    def __init__(self, number: int) -> None:
        self._number, self._held = number, ExitStack()
        self.told: list[str] = []
        first = FIRST_PORT + PORTS_OF_ONE * number
        self.ports = dict(zip(SERVICES, range(first + 34, first + 37), strict=True))
        self.further_port, self._registry_port = first + 40, first + 50

    def __enter__(self) -> World:
        self._held.enter_context(alone(self._number))
        # Not pytest's: the length of the path decides where lines are wrapped.
        folder = Path(self._held.enter_context(tempfile.TemporaryDirectory(prefix="recorded-")))
        (folder / "installation").mkdir()
        self.host = self._held.enter_context(
            FakeHost(folder / "host", registry_port=self._registry_port)
        )
        self.product = Product(folder)
        self.stack = Installation(folder / "installation", self.host)
        self.stack.prefix = PREFIX
        for service, port in self.ports.items():
            self.stack.declared["models"][service]["port"] = port
        self.stack.write(container_prefix=PREFIX, **PATIENT)
        self.host.engine.volumes.root.mkdir(parents=True)
        self._fixed = {
            **of_this_machine(),
            str(self.product.root): "/PRODUCT",
            str(self.stack.folder): "/STACK",
            self.host.socket: "/DOCKER.SOCK",
        }
        self._containers: dict[str, str] = {}
        return self

    def __exit__(self, *of_error: object) -> None:
        self._held.close()

    # --- the moment to begin at ---------------------------------------------------------------

    def keep(self) -> Moment:
        """Keep all as it is now."""
        return Moment(self)

    def begin(self) -> None:
        """Forget what was told."""
        self.told, self._containers = [], {}

    # --- what is done -------------------------------------------------------------------------

    def say(self, text: str) -> None:
        """Tell what a scenario does beside commands."""
        self.told += ["", f"* {self.plain(text)}"]

    def declare(self, **changes: Any) -> None:
        """Change the declaration: at the top, or in the table of a service."""
        models = copy.deepcopy(self.stack.declared["models"])
        for key, value in changes.items():
            if isinstance(value, dict) and key != "roles":
                models.setdefault(key, {}).update(value)
            self.say(f"stack.toml: {key}: {value}")
        top = {key: value for key, value in changes.items() if key not in models}
        self.stack.write(models=models, **top)

    def undeclare(self, service: str) -> None:
        """Take a service out of the declaration."""
        self.say(f"stack.toml: no {service}")
        del self.stack.declared["models"][service]
        self.stack.write()

    def pyinfra(self, *words: str) -> Done:
        """Run pyinfra."""
        return self._do("pyinfra", words, self.product.pyinfra)

    def dry(self, deploy: str = "stack", *data: str) -> Done:
        """Show what a deploy would do."""
        return self.pyinfra("--dry", "@local", f"deploys/{deploy}.py", *_options(data))

    def run(self, deploy: str = "stack", *data: str) -> Done:
        """Run a deploy; `data` are KEY=VALUE."""
        return self.pyinfra("-y", "@local", f"deploys/{deploy}.py", *_options(data))

    def console(self, *words: str) -> Done:
        """Run a verb of the console."""
        return self._do("./main.sh", words, self.product.console)

    # --- what is told of it -------------------------------------------------------------------

    def _own(self) -> dict[str, str]:
        own = self.stack.environment
        return {key: own[key] for key in ("STACK_FILE", "HOME", "FAKE_LOCKS", "FAKE_USAGE")}

    def _do(self, program: str, words: tuple[str, ...], how: Command) -> Done:
        # What a scenario did beside commands is told by itself.
        before = self._state()
        done = how(self._own(), *words)
        self.told += ["", f"$ {program} {self.plain(shlex.join(words))}"]
        for name, text in (("stdout", done.stdout), ("stderr", done.stderr)):
            if text:
                self.told += [f"  {name}:", *lines(self.plain(text))]
        self.told.append(f"  exit status: {done.status}")
        if changed := changes(before, self._state()):
            self.told += ["  what changed:", *lines("\n".join(changed))]
        return done

    def plain(self, text: str) -> str:
        """Put names for what is another in each run."""
        for container in self.host.engine.containers.values():
            name = f"<container {len(self._containers) + 1}>"
            self._containers.setdefault(container.id, name)
        ids = self._containers
        short = {id[:12]: name for id, name in ids.items()}
        return plain(text, {**self._fixed, **ids, **short})

    def _state(self) -> list[str]:
        found = state(self.host, self.stack.folder, self.product.written())
        return [self.plain(line) for line in found]


class Moment:
    """A context manager: all of a world as it was, to be put back inside the block."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._folder = tempfile.TemporaryDirectory(prefix="recorded-kept-")
        self._kept = Kept(world.host.engine, Path(self._folder.name), world.stack.folder)
        self._declared = copy.deepcopy(world.stack.declared)
        self._registry = copy.deepcopy(world.host.registry)

    def put_back(self) -> None:
        """Let all be as it was."""
        world, registry = self._world, copy.deepcopy(self._registry)
        world.host.liar.be_honest()
        self._kept.put_back()
        world.stack.declared = copy.deepcopy(self._declared)
        for name in ("token", "tags", "manifests", "blobs"):
            setattr(world.host.registry, name, getattr(registry, name))
        world.host.record.clear()
        for path in world.product.written():
            path.unlink()

    def __enter__(self) -> Moment:
        return self

    def __exit__(self, *of_error: object) -> None:
        self._folder.cleanup()


def _options(data: tuple[str, ...]) -> list[str]:
    return [word for pair in data for word in ("--data", pair)]
