"""What was seen of containers: which ports they hold, and whose."""

from __future__ import annotations

import pytest

from tasks.containers.observed import STACK_LABEL
from tests.unit.tasks.samples import container, snapshot, spec, stack

OTHERS = {STACK_LABEL: "other-"}


@pytest.mark.parametrize("status", ["running", "paused", "restarting"])
def test_a_container_that_is_up_holds_its_ports(status: str) -> None:
    seen = snapshot(container(spec(stack()), status=status))
    assert seen.ports_of("ollama-") == {11434}


@pytest.mark.parametrize("status", ["exited", "created", "dead"])
def test_a_container_that_is_not_up_holds_none(status: str) -> None:
    seen = snapshot(container(spec(stack()), status=status))
    assert (seen.containers[0].published, seen.ports_of("ollama-")) == ({11434}, set())


def test_the_ports_of_another_stack_are_not_ours() -> None:
    theirs = container(spec(stack()), labels=OTHERS, ports=("127.0.0.1:5000->11434/tcp",))
    seen = snapshot(container(spec(stack())), theirs)
    assert (seen.ports_of("ollama-"), seen.ports_of("other-")) == ({11434}, {5000})
    assert seen.ports_of("third-") == set()


def test_a_range_of_ports_is_held_as_a_whole() -> None:
    seen = snapshot(container(spec(stack()), ports=("0.0.0.0:8000-8002->11434/tcp",)))
    assert seen.ports_of("ollama-") == {8000, 8001, 8002}
