"""From every state that upgrades, rollbacks, failures and kills can leave, a converge is whole.

The runs are real: the product's executor on a fake engine, killed at the n-th change of the host.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from tests.unit.tasks.upgrade.history import MOST_CHANGES, Event, World, worlds

# A number names a history: it is the same each time.
HISTORIES, MORE = 4, 600
CHUNK = 25
AN_UPGRADE = Event("upgrade", "b", "b")


@pytest.fixture(scope="module")
def kept_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with worlds(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def world(kept_world: World) -> World:
    kept_world.put_back(keep=True)
    return kept_world


def live_through(world: World, number: int) -> None:
    """Let a drawn history happen, and see that the converge after it is whole."""
    rng = random.Random(number)
    world.put_back(keep=rng.random() < 0.7)
    events = [Event.drawn(rng) for _ in range(rng.randint(1, 5))]
    try:
        for event in events:
            world.happen(event)
        world.settle()
    except AssertionError as error:
        raise AssertionError(f"history {number}: {events}: {error}") from error


@pytest.mark.parametrize("number", range(HISTORIES))
def test_the_next_converge_ends_in_old_or_new_and_the_one_after_it_changes_nothing(
    world: World, number: int
) -> None:
    live_through(world, number)


@pytest.mark.thorough("six hundred histories")
@pytest.mark.parametrize("first", range(HISTORIES, HISTORIES + MORE, CHUNK))
def test_so_it_does_after_many_histories(world: World, first: int) -> None:
    for number in range(first, first + CHUNK):
        live_through(world, number)


@pytest.mark.thorough("a kill at each change of two moves")
@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("kind", ["upgrade", "rollback"])
def test_killed_at_each_of_its_changes(world: World, kind: str, is_before: bool) -> None:
    for at in range(1, MOST_CHANGES):
        world.put_back(keep=True)
        if kind == "rollback":
            world.happen(AN_UPGRADE)
        world.happen(Event(kind, "b", "b", at, is_before))
        world.settle()


def test_an_upgrade_and_a_rollback_come_back_to_where_they_began(world: World) -> None:
    before = world.serving()[1:]
    world.happen(AN_UPGRADE)
    new = world.serving()[1:]
    assert new[0] != before[0]
    world.happen(Event("rollback", "b", "b"))
    image, models = world.serving()[1:]
    assert (image, models["tiny-qwen:v1"]) == (before[0], before[1]["tiny-qwen:v1"])
    world.settle()


@pytest.mark.parametrize(
    "offered", [("ends", "b"), ("mute", "b"), ("b", "broken")], ids=["ends", "mute", "broken"]
)
def test_what_does_not_work_takes_the_whole_upgrade_back_with_it(
    world: World, offered: tuple[str, str]
) -> None:
    before, lock = world.serving(), world.lock()
    run = world.happen(Event("upgrade", *offered))
    assert [failure.service for failure in run.teller.failures] == ["qwen"]
    assert "the container before it serves again" in run.teller.failures[0].cause
    assert (world.serving(), world.lock()) == (before, lock)
    world.settle()


@pytest.mark.parametrize("is_before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("killed_at", [6, 11])
def test_an_upgrade_that_was_killed_is_ended_or_taken_back(
    world: World, killed_at: int, is_before: bool
) -> None:
    world.happen(Event("upgrade", "b", "b", killed_at, is_before))
    world.settle()
