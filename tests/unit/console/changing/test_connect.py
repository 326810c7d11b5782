"""Clients connected by hand, file by file."""

from __future__ import annotations

import pytest

from console.changing import connect
from console.looking.clients import Here
from tasks.clients.documents import meant
from tasks.clients.outcome import FileChange
from tasks.clients.plan import plan_user
from tasks.containers.observed import Snapshot
from tasks.shell.as_user import UserShell
from tasks.shell.local import LocalShell
from tests.unit.tasks.clients.samples import declared, user, wiring


def test_attack_16_a_file_that_fails_as_nobody_foresaw_keeps_no_other_from_being_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = user(found=frozenset({"kilo", "opencode"}))
    stack = declared()
    clients = meant(stack, seen, Snapshot())
    here = Here(stack, UserShell(LocalShell()), seen, clients, wiring())
    outcome = plan_user(seen, here.documents(here.clients))
    written = []

    def apply(_: object, __: object, ___: object, change: FileChange) -> None:
        if change.client == "kilo":
            raise RecursionError
        written.append(change.client)

    monkeypatch.setattr(connect, "apply", apply)
    monkeypatch.setattr(connect, "note", lambda _: None)
    assert connect.carry_out(here, outcome, is_dry=False) == 1
    assert written == ["opencode"] and "RecursionError" in capsys.readouterr().err
