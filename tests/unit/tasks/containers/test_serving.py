"""Whether what answers on a service's port can be our container, and nobody else's server."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tasks.containers.observed import Snapshot
from tasks.containers.parse import is_serving, parse
from tests.unit.tasks.containers.test_look import STACK as RECORDED
from tests.unit.tasks.containers.test_look import output, recorded
from tests.unit.tasks.samples import container, snapshot, spec, stack

STACK = stack()
QWEN = STACK.services[0]
OURS = container(spec(STACK))


@pytest.mark.parametrize(
    ("seen", "is_ours"),
    [
        (snapshot(OURS), True),
        (snapshot(replace(OURS, ports=("127.0.0.1:9999->11434/tcp",))), False),
        (snapshot(replace(OURS, ports=("10.0.0.9:11434->11434/tcp",))), False),
        (snapshot(replace(OURS, ports=("127.0.0.1:114->11434/tcp",))), False),
        (snapshot(replace(OURS, status="exited")), False),
        (snapshot(replace(OURS, name="other")), False),
    ],
    ids=["ours", "another port", "another address", "the beginning of it", "stopped", "none"],
)
def test_only_a_container_of_ours_that_runs_on_the_port_serves(
    seen: Snapshot, is_ours: bool
) -> None:
    assert is_serving(STACK, QWEN, seen) is is_ours


@pytest.mark.parametrize(
    ("old", "new"),
    [('"HostPort":"24100"', '"HostPort":"24109"'), ('"Status":"running"', '"Status":"exited"')],
)
def test_the_answers_of_another_server_on_the_port_are_not_taken_for_ours(
    old: str, new: str
) -> None:
    parts: dict[str, Any] = recorded()
    assert parse(RECORDED, output(parts)).server("qwen").version
    assert old in parts["engine"]
    parts["engine"] = parts["engine"].replace(old, new)
    seen = parse(RECORDED, output(parts))
    assert seen.server("qwen").version == "" and seen.server("qwen").models == {}
