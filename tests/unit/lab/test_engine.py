"""Which engine the lab takes."""

from __future__ import annotations

import pytest

from lab import engine
from lab.errors import LabError


def test_docker_host_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///run/other.sock")
    assert engine.socket_path() == "/run/other.sock"
    monkeypatch.delenv("DOCKER_HOST")
    assert engine.socket_path() == engine.SOCKET


def test_an_engine_elsewhere_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://10.0.0.1:2375")
    with pytest.raises(LabError, match="tcp://"):
        engine.socket_path()


def test_a_named_engine_that_does_not_answer_is_never_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///none/such.sock")
    with pytest.raises(LabError, match="no engine answers"):
        engine.planned()


def test_labels_tell_labs_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    first = engine.labels()
    monkeypatch.setenv("LAB_STATE", "/elsewhere")
    assert engine.labels() != first
    assert engine.labels()[engine.LABEL] == "1"
