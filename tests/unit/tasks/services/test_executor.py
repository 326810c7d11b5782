"""The real executor on the fake engine: every scenario, and what only a fake can show."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tasks.records.lockfile import LockFile
from tests.fake.deaths import Mortal
from tests.fake.here import own_lock_folder
from tests.fake.host import FakeHost
from tests.fake.lies import after_the_deed, says
from tests.scenarios.place import SERVICES, Place, look
from tests.scenarios.scenarios import QWEN, SCENARIOS, fails, whole
from tests.unit.tasks.services.fake_place import FakePlace


@pytest.fixture(scope="module")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FakePlace]:
    folder, gate = tmp_path_factory.mktemp("executor"), Mortal()
    with own_lock_folder(folder / "locks"), FakeHost(folder / "host", gate) as host:
        yield FakePlace(folder, gate, host)


@pytest.fixture
def place(converged: FakePlace) -> Iterator[FakePlace]:
    yield converged
    converged.gate.be_honest()
    converged.put_back()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_a_scenario(place: FakePlace, scenario: Callable[[Place], None]) -> None:
    scenario(place)


def test_the_lock_is_written_once_for_each_service(
    place: FakePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    put, written = LockFile.put, list[str]()

    def counting(self: LockFile, host: str, service: str, *rest: object, **more: object) -> None:
        written.append(service)
        put(self, host, service, *rest, **more)  # type: ignore[arg-type]

    assert place.run("remove", purge=True).ok
    monkeypatch.setattr(LockFile, "put", counting)
    assert place.run("stack").ok
    assert written == list(SERVICES)


def test_a_container_that_was_made_and_not_told_of_is_not_taken_for_ours(place: FakePlace) -> None:
    place.declare(QWEN, context=4096)
    lie = after_the_deed(says("{}", 201))
    place.gate.aim(lie, server="engine", method="POST", path="/containers/create")
    fails(place, "stack", "does not tell what it made", "both are left as they are")
    assert set(look(place).ids) == {*SERVICES, f"{QWEN}-previous"}
    place.gate.be_honest()
    whole(place)


def test_the_commands_are_told_where_what_was_before_does_not_come_back(place: FakePlace) -> None:
    place.declare(QWEN, image="ollama/ollama:broken-start")
    path = f"{QWEN}-previous/rename"
    place.gate.aim(says('{"message": "no"}', 500), server="engine", method="POST", path=path)
    fails(place, "stack", "did not come back", "by hand: docker rename")
    place.gate.be_honest()
    place.put_back()
