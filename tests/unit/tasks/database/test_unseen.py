"""What nobody could see is in the database as it was (attack 3)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.containers.observed import ObservedServer, ServedModel, Snapshot
from tasks.database.database import is_up_to_date, record, rows_of
from tasks.database.rows import KEYS, inventory_of
from tasks.run.decided import HostDetails
from tests.unit.tasks.samples import DIGEST, container, snapshot, spec, stack

STACK = stack()
MODEL = STACK.services[0].model
SERVER = ObservedServer("0.24.0", {MODEL: ServedModel(MODEL, DIGEST, 5)})
UP = snapshot(container(spec(STACK)), servers={"qwen": SERVER})


@pytest.mark.parametrize(
    "unseen",
    [
        replace(UP, containers=(), servers={}, unknown={"qwen": "it answered oddly"}),
        Snapshot(unknown={"": "Docker did not answer"}),
    ],
)
def test_attack_3_the_rows_of_what_nobody_could_see_stay(tmp_path: Path, unseen: Snapshot) -> None:
    path = tmp_path / ".models.db"
    record(path, inventory_of("@local", STACK, UP, HostDetails(), {}, []))
    before = {table: rows_of(path, table) for table in KEYS}
    found = inventory_of("@local", STACK, unseen, HostDetails(), {}, [])
    assert is_up_to_date(path, found)
    record(path, found)
    assert {table: rows_of(path, table) for table in KEYS} == before
    assert before["models"][0]["status"] == "active" or before["models"][2]["status"] == "active"
