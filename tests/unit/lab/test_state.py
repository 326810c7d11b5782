"""The state file and its lock."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lab import lock, state
from lab.errors import LabError
from lab.state import ActiveFault, Host, LabState


def test_what_is_saved_is_loaded(lab: LabState) -> None:
    host = Host(name="web", container="c", volume="v")
    full = lab.model_copy(update={"hosts": (host,), "fault": ActiveFault(name="models-404")})
    state.save(full)
    assert state.load() == full
    assert state.load().host("web") == host
    assert state.load().host("other") is None


def test_addresses_are_the_products(lab: LabState) -> None:
    assert lab.image_mirror == "127.0.0.1:15000"
    assert lab.model_registry == "172.17.0.1:15001"


def test_no_lab_is_said_so() -> None:
    assert state.find() is None
    with pytest.raises(LabError, match="no lab"):
        state.load()


@pytest.mark.parametrize("text", ["", "{", '{"format": 1}', '{"unknown": true}'])
def test_a_damaged_file_is_named(lab: LabState, text: str) -> None:
    state.save(lab)
    state.path().write_text(text)
    with pytest.raises(LabError, match=r"lab\.json"):
        state.find()


def test_update_changes_only_what_is_named(lab: LabState) -> None:
    state.save(lab)
    state.update(generation=5)
    assert state.load() == lab.model_copy(update={"generation": 5})


def test_a_second_process_is_told_who_works() -> None:
    code = "from lab import lock\nwith lock.locked(): pass"
    with lock.locked():
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
        )
    assert "LabError" in done.stderr
    assert "is being changed by process" in done.stderr
    with lock.locked():
        pass
