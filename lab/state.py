"""What the lab has started or taken: one JSON file, written before each thing is made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from lab import fronts
from lab.errors import LabError
from lab.pace import SLOW, Pace
from lab.paths import state_folder
from lab.settings import Addresses, Ports, Value

FORMAT = 1


class Engine(Value):
    """The Docker Engine; `is_ours` where the lab started it, `unit` where systemd did it for us."""

    socket: str
    is_ours: bool = False
    unit: str = ""


class Engine29(Value):
    """The second engine, in a network namespace of its own."""

    namespace: str
    device: str
    address: str
    inner_address: str
    socket: str


class Host(Value):
    """A fresh host: a container with systemd and ssh."""

    name: str
    container: str
    volume: str
    address: str = ""
    port: int = 22
    user: str = "dev"
    key: str = ""
    sudo: bool = True


class ActiveFault(Value):
    """A fault that is in force, with what was asked for."""

    name: str
    only: str = ""
    rate: str = ""
    after: int = 0
    once: bool = False


class Move(Value):
    """A tag of a registry ("images" or "models") that a front shows as another manifest."""

    kind: str
    repository: str
    tag: str
    digest: str


class LabState(Value):
    """Everything that `lab down` takes down, and where everything answers."""

    format: int = FORMAT
    engine: Engine
    ports: Ports
    addresses: Addresses
    # The seeds that the registries were filled from; other recipes, other names.
    image_seed: str = ""
    model_seed: str = ""
    # Ports of services whose default one was taken by something else when the lab was made.
    service_ports: Mapping[str, int] = Field(default_factory=dict)
    engine29: Engine29 | None = None
    hosts: tuple[Host, ...] = ()
    fault: ActiveFault | None = None
    moves: tuple[Move, ...] = ()
    # How late registries and engine answer; the seed gives the same delays again, 0: none yet.
    pace: Pace = SLOW
    seed: int = 0
    # Counts the configurations of nginx: its control port answers with it.
    generation: int = 0

    @property
    def image_mirror(self) -> str:
        """The image registry as the product names it."""
        return f"127.0.0.1:{self.ports.images}"

    @property
    def model_registry(self) -> str:
        """The model registry as the product and containers name it."""
        return f"{self.addresses.gateway}:{self.ports.models}"

    def host(self, name: str) -> Host | None:
        """Return a host by its name."""
        return next((host for host in self.hosts if host.name == name), None)


def path() -> Path:
    """Return the path of the state file."""
    return state_folder() / "lab.json"


def stack_file() -> Path:
    """Return the path of the product's settings for this lab."""
    return state_folder() / "stack.toml"


def second_stack_file() -> Path:
    """Return the path of the same settings for the second engine, as seen inside its namespace."""
    return state_folder() / "stack29.toml"


def find() -> LabState | None:
    """Return the state as this process's front sees it, None where no lab was made.

    A front that was not brought up yet sees the lab's own.
    """
    try:
        shared = LabState.model_validate_json(path().read_text())
        own = fronts.read()
        return shared if own is None else LabState.model_validate({**shared.model_dump(), **own})
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise LabError(
            f"the lab's state file {path()} cannot be read ({error.__class__.__name__})",
            f"end what the pid files in {state_folder()}/run name, then remove that folder",
        ) from None


def all_ports() -> tuple[Ports, ...]:
    """Return the ports of the lab's own front and of all others."""
    shared = LabState.model_validate_json(path().read_text())
    return (shared.ports, *(Ports.model_validate(own["ports"]) for own in fronts.all_of_them()))


def load() -> LabState:
    """Return the state; LabError where no lab, or not this front of it, was made."""
    state = find()
    if state is None:
        raise LabError("there is no lab here", "run `python -m lab up` first")
    if fronts.name() and fronts.read() is None:
        raise LabError(f"the lab has no front {fronts.name()}", "run `python -m lab up` first")
    return state


def save(state: LabState) -> LabState:
    """Write the state, each file in one step, and return it."""
    shared = state
    if fronts.read() is not None:
        fronts.write(state.model_dump(mode="json"))
        own = LabState.model_validate_json(path().read_text())
        shared = state.model_copy(update={key: getattr(own, key) for key in fronts.KEYS})
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    new = target.with_suffix(".new")
    new.write_text(shared.model_dump_json(indent=2) + "\n")
    new.replace(target)
    return state


def update(**changes: object) -> LabState:
    """Change some keys of the saved state, and return it."""
    state = load().model_copy(update=changes)
    if fronts.name() and set(changes) <= {*fronts.KEYS}:
        # Others may change what is shared at the same time.
        fronts.write(state.model_dump(mode="json"))
        return state
    return save(state)
