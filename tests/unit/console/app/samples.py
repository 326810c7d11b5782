"""What the tests of the app show: invented, on the reference machine (RTX 2070 SUPER, 8 GB).

Nothing here was recorded on that card. The rows are made by the code that makes them of a real
look, from invented containers, servers and a lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textual.pilot import Pilot
from textual.widgets import Static

from console.app.app import StackApp
from console.app.feed import Feed, View
from console.checks.finding import Check
from console.checks.startup import CHECKS
from console.looking.gpu import GpuReading, GpuReadings
from console.looking.host import SeenHost
from console.looking.status import statuses
from console.words.trouble import Trouble
from tasks.containers.observed import LoadedModel, ObservedServer, ServedModel, Snapshot
from tasks.declared.stack import Service, Stack
from tasks.records.lockfile import LockFile
from tasks.records.proven import Proven, ServiceLock
from tests.unit.tasks.samples import DIGEST, container, snapshot, spec, stack

NOW = datetime(2026, 1, 10, 12, 0, tzinfo=UTC)
STACK = stack(gpu="auto")
# Bytes on the disk, and the time of the last change, by service.
SIZES = {"qwen": 4_683_087_332, "deepseek": 5_225_376_047, "mistral": 4_113_301_824}
CHANGED = {
    "qwen": "2026-01-10T09:30:00+00:00",
    "deepseek": "2026-01-08T12:00:00+00:00",
    "mistral": "2025-12-01T12:00:00+00:00",
}
CARD = GpuReading(
    "NVIDIA GeForce RTX 2070 SUPER", "580.95.05", 6_227_702_579, 8_589_934_592, 54, 12
)
NO_DOCKER = Trouble(
    "Docker is not running here: there is no /var/run/docker.sock",
    "sudo systemctl start docker; or ./main.sh setup, where it was never installed",
)
WELL = {
    "declaration": Check("declaration", True, "3 services are declared"),
    "Docker": Check("Docker", True, "answers at /var/run/docker.sock"),
    "user": Check("user", True, "may use Docker"),
    "database": Check("database", True, ".models.db can be used"),
    "GPU": Check("GPU", True, CARD.name),
}


def digest_of(service: Service) -> str:
    """Return an invented digest of a model, another one for each service."""
    return f"sha256:{f'{service.port:x}0d1e2f' * 7:.64}"


def server(service: Service, *, is_loaded: bool = False) -> ObservedServer:
    """Return a server that holds its model, loaded wholly on the GPU or not at all."""
    size = SIZES.get(service.name, 10**9)
    held = ServedModel(service.model, digest_of(service), size)
    loaded = LoadedModel(service.model, size + 700_000_000, size + 700_000_000, service.context)
    return ObservedServer("0.24.0", {held.name: held}, (loaded,) if is_loaded else ())


def all_of(declared: Stack = STACK, **changes: dict[str, Any]) -> Snapshot:
    """Return a host on which all runs; `changes` are to the containers, by service."""
    made = [container(spec(declared, s.name), **changes.get(s.name, {})) for s in declared.services]
    running = {c.service for c in made if c.status == "running"}
    servers = {
        s.name: server(s, is_loaded=s.name == "qwen")
        for s in declared.services
        if s.name in running
    }
    stored = {s.name: server(s).models for s in declared.services if s.name not in running}
    return snapshot(*made, servers=servers, stored=stored)


def lock(declared: Stack = STACK, host: str = "@local") -> LockFile:
    """Return a lock that holds what runs."""
    image = Proven("ollama/ollama:0.24.0", DIGEST, "2026")
    return LockFile(
        Path("/nowhere/stack.lock"),
        {
            (host, s.name): ServiceLock(image, {s.model: Proven(s.model, digest_of(s), "2026")})
            for s in declared.services
        },
    )


def host(
    name: str = "@local", seen: Snapshot | None = None, declared: Stack = STACK, **more: Any
) -> SeenHost:
    """Return a host as it was seen: all runs, unless something else is given."""
    return SeenHost(name, declared, seen or all_of(declared), lock(declared, name), **more)


def view(*hosts: SeenHost, **changes: Any) -> View:
    """Return what the app shows of some hosts; of this machine alone, where none is given."""
    found = tuple(statuses(hosts or (host(),)))
    seen = View(found, GpuReadings((CARD,)), changed=CHANGED, has_looked=True)
    return replace(seen, **changes)


def one_stopped() -> View:
    """Return a View with a service that is stopped, one that drifted, and an upgrade."""
    environment = spec(STACK, "mistral").environment | {"OLLAMA_KEEP_ALIVE": "1h"}
    seen = all_of(deepseek={"status": "exited"}, mistral={"environment": environment})
    offers = {"qwen": ("qwen2.5-coder:7b 2caa0d1e2f0d → 9f1c3b5a7d20",)}
    return view(host(seen=seen), offers=offers)


def fleet() -> View:
    """Return a View of two hosts, and of a third one that nobody reached."""
    silent = SeenHost("ws3", trouble=Trouble("nobody answers at ws3:22", "switch it on"))
    drifted = all_of(qwen={"memory": 8 * 10**9})
    return view(host("ws1"), host("ws2", drifted), silent, changed={})


class Still(Feed):
    """Looks at nothing: shows what it is given, at a time that stands still."""

    found = View()
    checks: dict[str, Check] = WELL

    def start(self) -> None:
        self.view = self.found

    def look_again(self) -> None:
        self.looks += 1

    def now(self) -> datetime:
        return NOW

    def checked(self, name: str) -> Check:
        return self.checks[name]


def still(found: View | None = None, **checks: Check) -> StackApp:
    """Build the app on a View that nobody looks for; some start-up checks may be replaced."""
    kind = type("Given", (Still,), {"found": found or view(), "checks": WELL | checks})
    app = StackApp(feed=kind)
    app.animation_level = "none"
    return app


async def until(pilot: Pilot[None], is_so: Callable[[], bool]) -> None:
    """Wait until something is so; fail where it never is."""
    for _ in range(1000):
        await pilot.pause(0.01)
        if is_so():
            return
    raise AssertionError("it never came to be")


async def shown(pilot: Pilot[None], found: View | None = None) -> StackApp:
    """Show a View (else the app's own), when all start-up checks have arrived."""
    app = pilot.app
    assert isinstance(app, StackApp)
    await until(pilot, lambda: all(app.board.checks[name] is not None for name in CHECKS))
    app.board.show(found or app.feed.view)
    await pilot.pause()
    return app


def said(app: StackApp, name: str) -> str:
    """Return what a line of the main view says; "" where it is not displayed."""
    line = app.board.query_one(f"#{name}", Static)
    return str(line.content) if line.display else ""
