"""Whole runs against a registry, an engine and servers that lie at random.

Each ends within its limit and with an answer for people, and what served before still serves. A
seed names a run: the same lies are told again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake.host import FakeHost
from tests.fake.kept import Kept
from tests.lies.installation import SERVICES, Installation

# More of them are tried by LIES_RUNS=400.
RUNS = int(os.environ.get("LIES_RUNS", "40"))
# Which servers lie, how often, and whether with honest answers of which one value is changed: where
# the engine does so, it tells of another host, and whatever is right there may be done.
LIARS = {
    "registry": ("registry", 0.5, True),
    "engine": ("engine", 0.1, False),
    "server": ("oslie.*", 0.3, True),
}
# Half of the runs are lied to from the first request on, the other half while they change things.
LOOKS = {"registry": 0, "engine": 24, "server": 9}
# The service that is not as declared when a run begins, so that there is something to do.
ODD_ONE = "mistral"


class Place:
    """A converged stack on a fake host, and how it was when all was well."""

    def __init__(self, folder: Path, host: FakeHost) -> None:
        self.host = host
        self.stack = Installation(folder / "installation", host)
        output = self.stack.converge()
        assert output.status == 0, output.text
        kept = (self.stack.folder,)
        (folder / "kept").mkdir()
        self.kept = Kept(host.engine, folder / "kept", *kept)

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

    def serving(self) -> dict[str, tuple[str, str, dict[str, str]]]:
        """Return id, state and models of the services that are as declared."""
        found = {}
        for service in SERVICES:
            name = self.stack.name(service)
            container = self.host.containers.get(name)
            if service == ODD_ONE:
                continue
            store = self.host.store(name)
            held = {model: store.digest(model) for model in store.names()}
            found[name] = (container.id, container.status, held) if container else ("", "", held)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("lies")
    (folder / "installation").mkdir()
    with FakeHost(folder / "host") as host:
        yield Place(folder, host)


@pytest.mark.parametrize("number", range(RUNS))
@pytest.mark.parametrize("liar", LIARS)
def test_a_run_that_is_lied_to_ends_and_breaks_nothing(
    place: Place, liar: str, number: int
) -> None:
    server, rate, mutates = LIARS[liar]
    with place.kept:
        place.disturb(number)
        before = place.serving()
        after = LOOKS[liar] if number // 4 % 2 else 0
        place.host.liar.lie_at_random(
            f"{liar} {number}", rate, server, mutates=mutates, after=after
        )
        output = place.stack.converge()
        told = "\n".join(place.host.liar.told)
        place.host.liar.be_honest()
        seed = f"seed: {liar} {number}; the lies:\n{told}\n{output.text}"
        assert output.status in (0, 1), seed
        assert "Traceback" not in output.text, seed
        assert "fault of ollama-stack" not in output.text, seed
        assert place.serving() == before, seed
        if output.status:
            assert "cause:" in output.last, seed
            assert "remedy:" in output.last, seed
