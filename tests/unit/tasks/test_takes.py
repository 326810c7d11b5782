"""The tables of all rooms together: who takes each step that can be planned."""

from __future__ import annotations

from collections import Counter

from tasks.clients import stage as clients
from tasks.container_toolkit import apply as container_toolkit
from tasks.docker_engine import stage as docker_engine
from tasks.nvidia import apply as nvidia
from tasks.services import takes as services
from tasks.upgrade import takes as upgrade
from tasks.words.steps import Action

ROOMS = {
    "nvidia": nvidia.TAKES,
    "docker_engine": docker_engine.TAKES,
    "container_toolkit": container_toolkit.TAKES,
    "services": services.TAKES,
    "clients": clients.TAKES,
}
# The toolkit sees to it, besides, that the engine which it restarts can give the GPU.
BY_TWO = {Action.RESTART_ENGINE}


def test_every_step_that_can_be_planned_is_taken_by_one_room() -> None:
    taken = Counter(action for takes in ROOMS.values() for action in takes)
    assert {*taken} | {Action.MOVE_LOCK} == {*Action}
    assert {action for action, count in taken.items() if count > 1} == BY_TWO


def test_a_move_takes_the_steps_of_a_service_and_moves_the_lock_besides() -> None:
    assert {*upgrade.TAKES} == {*services.TAKES} | {Action.MOVE_LOCK}
    assert {*upgrade.PULLS} == {Action.PULL_IMAGE}
