"""The scenarios. Each begins on a converged stack; what it declared is taken back afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from docker.types import Mount

from tasks.declared.stack import KEPT
from tests.scenarios.place import EXTRA, SERVICES, Place, ask, look, model

QWEN, OTHER = SERVICES
BOTH = dict.fromkeys(SERVICES, "running")
NEWER, ENDS, MUTE = (
    f"ollama/ollama:{tag}" for tag in ("0.17.4", "broken-start", "broken-generate")
)
SCENARIOS: list[Callable[[Place], None]] = []


def scenario(function: Callable[[Place], None]) -> Callable[[Place], None]:
    """Add a scenario."""
    SCENARIOS.append(function)
    return function


def container(place: Place, service: str = QWEN) -> Any:
    """Return a container, as Docker's client has it."""
    return place.client.containers.get(place.prefix + service)


def whole(place: Place) -> None:
    """Converge, and see that all serve, that nothing is left over, and nothing to do."""
    first = place.run("stack")
    assert first.ok, first.said
    seen = look(place)
    assert seen.states == BOTH
    for service in SERVICES:
        digest = place.locked(service).model_digests[model(service)]
        assert seen.models[service][model(service)] == digest
        assert place.status(service) == "active"
    again = place.run("stack")
    assert again.is_quiet, again.said
    assert look(place) == seen


def fails(place: Place, deploy: str, *words: str, **options: Any) -> None:
    """See that a run fails, and says so."""
    outcome = place.run(deploy, **options)
    assert not outcome.ok, outcome.said
    for word in words:
        assert word in outcome.said, outcome.said


@scenario
def first_run(place: Place) -> None:
    outcome = place.run("remove", purge=True)
    assert outcome.ok, outcome.said
    gone = look(place)
    assert (gone.states, gone.volumes, gone.tags) == ({}, frozenset(), frozenset())
    whole(place)


@scenario
def stopped(place: Place) -> None:
    before = look(place)
    container(place).stop(timeout=1)
    whole(place)
    assert look(place) == before


@scenario
def paused(place: Place) -> None:
    before = look(place)
    container(place).pause()
    whole(place)
    assert look(place) == before


@scenario
def renamed(place: Place) -> None:
    before = look(place)
    container(place).rename(f"{place.prefix}by-hand")
    whole(place)
    assert look(place) == before


@scenario
def removed_by_hand(place: Place) -> None:
    before = look(place)
    container(place).remove(force=True)
    whole(place)
    after = look(place)
    assert (after.models, after.ids[OTHER]) == (before.models, before.ids[OTHER])


@scenario
def drifted(place: Place) -> None:
    before = look(place)
    place.declare(QWEN, context=4096)
    whole(place)
    after = look(place)
    assert after.ids[QWEN] != before.ids[QWEN]
    assert (after.models, after.ids[OTHER]) == (before.models, before.ids[OTHER])


def _taken_back(place: Place, image: str, word: str) -> None:
    before, lock = look(place), place.locked(QWEN)
    place.declare(QWEN, image=image)
    fails(place, "stack", word, "the container before it serves again")
    assert (look(place), place.locked(QWEN)) == (before, lock)
    assert place.status(QWEN) == "active"


@scenario
def a_new_container_that_ends_is_taken_back(place: Place) -> None:
    _taken_back(place, ENDS, "ended with exit code")


@scenario
def a_new_container_that_proves_nothing_is_taken_back(place: Place) -> None:
    _taken_back(place, MUTE, "did not generate")


@scenario
def a_model_that_was_deleted_is_pulled(place: Place) -> None:
    before = look(place)
    ask(place, QWEN, "/api/delete", {"model": model(QWEN)}, "DELETE")
    with place.broken_pulls():
        fails(place, "stack", f"pull {model(QWEN)}")
    assert look(place).models[OTHER] == before.models[OTHER]
    whole(place)
    assert look(place) == before


@scenario
def a_model_that_was_replaced_is_restored(place: Place) -> None:
    before = look(place)
    ask(place, OTHER, "/api/copy", {"source": model(OTHER), "destination": "x:1"})
    with place.moved(QWEN):
        assert place.run("upgrade", only=QWEN, parts="models").ok
    assert look(place).models[QWEN][model(QWEN)] != before.models[QWEN][model(QWEN)]
    copy = {"source": model(QWEN) + KEPT, "destination": model(QWEN)}
    moved = place.locked(QWEN).model_digests[model(QWEN)]
    ask(place, QWEN, "/api/copy", copy)
    with place.moved(QWEN):
        whole(place)
    after = look(place)
    assert after.models[QWEN][model(QWEN)] == moved
    assert "x:1" in after.models[OTHER], "what nobody declared is left alone"
    ask(place, OTHER, "/api/delete", {"model": "x:1"}, "DELETE")
    assert place.run("rollback", only=QWEN).ok


@scenario
def upgraded_and_rolled_back(place: Place) -> None:
    before = look(place)
    place.declare(QWEN, image=NEWER)
    with place.moved(QWEN) as digest:
        outcome = place.run("upgrade", only=QWEN)
        assert outcome.ok, outcome.said
        after, lock = look(place), place.locked(QWEN)
        assert after.models[QWEN][model(QWEN)] == digest == lock.model_digests[model(QWEN)]
        assert lock.previous_models == {model(QWEN): before.models[QWEN][model(QWEN)]}
        assert lock.image is not None
        assert (lock.image.reference, lock.image.previous is not None) == (NEWER, True)
        assert after.ids[OTHER] == before.ids[OTHER]
        whole(place)
        outcome = place.run("rollback", only=QWEN)
    assert outcome.ok, outcome.said
    back = look(place)
    assert back.models[QWEN][model(QWEN)] == before.models[QWEN][model(QWEN)]
    assert place.locked(QWEN).model_digests == {model(QWEN): back.models[QWEN][model(QWEN)]}


@scenario
def an_upgrade_to_a_model_that_breaks_is_taken_back(place: Place) -> None:
    before, lock = look(place), place.locked(QWEN)
    place.declare(QWEN, image=NEWER)
    with place.moved(QWEN, works=False):
        fails(place, "upgrade", "did not generate", f"{model(QWEN)} as before", only=QWEN)
    assert (look(place), place.locked(QWEN)) == (before, lock)


@scenario
def an_upgrade_to_an_image_that_ends_is_taken_back(place: Place) -> None:
    before, lock = look(place), place.locked(QWEN)
    place.declare(QWEN, image=ENDS)
    fails(place, "upgrade", "the container before it serves again", only=QWEN)
    assert (look(place), place.locked(QWEN)) == (before, lock)


@scenario
def what_is_declared_no_more_goes_by_consent(place: Place) -> None:
    before = look(place)
    place.declare(EXTRA, model=model(QWEN), agent="", context=2048, port=place.port(EXTRA))
    assert place.run("stack").ok
    assert look(place).states[EXTRA] == "running"
    place.declare(EXTRA)
    assert "no longer declared" in place.run("stack").said
    assert look(place).states[EXTRA] == "running"
    assert place.run("stack", prune=True).ok
    assert (EXTRA in look(place).states, EXTRA in look(place).volumes) == (False, True)
    assert place.run("stack", prune=True, purge=True).ok
    assert look(place) == before


@scenario
def another_ones_container_is_taken_over_by_consent(place: Place) -> None:
    image = container(place).attrs["Config"]["Image"]
    container(place).remove(force=True)
    port = {"11434/tcp": ("127.0.0.1", place.port(QWEN))}
    name = place.prefix + QWEN
    volume = Mount("/root/.ollama", name, type="volume")
    theirs = place.client.containers.create(image, name=name, ports=port, mounts=[volume])
    theirs.start()
    fails(place, "stack", "is not ours")
    assert look(place).ids[QWEN] == theirs.id
    outcome = place.run("stack", adopt=QWEN)
    assert outcome.ok, outcome.said
    assert look(place).ids[QWEN] != theirs.id
    whole(place)


@scenario
def declared_inactive(place: Place) -> None:
    before = look(place)
    place.declare(QWEN, active=False)
    outcome = place.run("stack")
    assert outcome.ok, outcome.said
    assert look(place).states == {**BOTH, QWEN: "exited"}
    assert place.status(QWEN) == "inactive"
    place.declare(QWEN, active=True)
    whole(place)
    assert look(place) == before


@scenario
def two_services_take_each_others_ports(place: Place) -> None:
    before = look(place)
    mine, theirs = place.port(QWEN), place.port(OTHER)
    place.declare(QWEN, port=theirs)
    place.declare(OTHER, port=mine)
    whole(place)
    assert look(place).models == before.models
