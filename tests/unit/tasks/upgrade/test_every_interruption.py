"""From every state that upgrades, rollbacks, failures and kills can leave, a converge is whole."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.declared.stack import KEPT, REPLACED
from tests.unit.tasks.upgrade.world import ASIDE, MODEL, NAME, REPOSITORY, SPEC, World


@dataclass(frozen=True)
class Event:
    """One thing that happens: what is run, what registries offer then, and when it is killed."""

    kind: str
    offered: tuple[str, str]
    bad: frozenset[str]
    deeds: int | None


LETTERS = st.sampled_from("abcd")
EVENTS = st.builds(
    Event,
    st.sampled_from(["upgrade", "rollback", "converge"]),
    st.tuples(LETTERS, LETTERS),
    st.frozensets(st.sampled_from("bcd"), max_size=2),
    st.none() | st.integers(0, 25),
)


def happen(world: World, event: Event) -> None:
    """Let an event happen. What was proven once goes on working."""
    world.offered = event.offered
    proven = {*world.worked, world.models.get(MODEL, "a")}
    world.bad = event.bad - proven
    if event.kind != "converge":
        world.set_goal(back=event.kind == "rollback")
    world.run(event.deeds)


@settings(max_examples=6 * settings().max_examples)
@given(st.lists(EVENTS, max_size=5), st.booleans())
def test_the_next_converge_ends_in_old_or_new_and_the_one_after_it_changes_nothing(
    events: list[Event], keep: bool
) -> None:
    world = World(keep=keep)
    assert world.run()
    for event in events:
        happen(world, event)
    world.bad = frozenset()
    assert world.run(), "a converge comes to its end"
    assert world.plan() == [], "and a second one has nothing to do"
    (only,) = world.containers.values()
    assert (only.name, only.status) == (NAME, "running")
    assert world.lock.image is not None
    assert only.image_id == world.lock.image.digest
    assert world.models[MODEL] == world.lock.model_digests[MODEL]
    before = world.lock.image.previous
    previous = {f"{REPOSITORY}:{NAME}{KEPT}"} if before is not None and keep else set()
    assert set(world.tags) == {SPEC.image} | previous, "no stray tag"
    assert world.images == set(world.tags.values()), "no image without a tag"
    copies = {MODEL + KEPT} if keep and world.lock.previous_models else set()
    assert set(world.models) - {MODEL} <= copies, "no stray copy"
    assert MODEL + REPLACED not in world.models
    assert ASIDE not in world.containers


@given(LETTERS, LETTERS)
def test_an_upgrade_and_a_rollback_come_back_to_where_they_began(image: str, model: str) -> None:
    world = World()
    world.run()
    before = world.containers[NAME].image_id, dict(world.models)
    world.offered = (image, model)
    world.set_goal(back=False)
    world.run()
    assert (world.containers[NAME].image_id, world.models[MODEL]) == (image, model)
    world.set_goal(back=True)
    world.run()
    assert (world.containers[NAME].image_id, world.models[MODEL]) == (before[0], before[1][MODEL])


@given(st.integers(0, 40))
def test_a_bad_model_takes_the_new_image_back_with_it(deeds: int) -> None:
    world = World()
    world.run()
    world.offered, world.bad = ("b", "c"), frozenset("c")
    world.set_goal(back=False)
    world.run()
    assert (world.containers[NAME].image_id, world.models) == ("a", {MODEL: "a"})
    assert set(world.tags) == {SPEC.image}
