"""What the doctor says of clients' files."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from console.checks.clients import client_checks, judged
from console.looking.clients import Here
from tasks.clients.documents import meant
from tasks.clients.look import ObservedUser
from tasks.clients.plan import plan_user
from tasks.containers.observed import Snapshot
from tasks.shell.as_user import UserShell
from tasks.shell.local import LocalShell
from tests.unit.tasks.clients.samples import declared, file, user, wiring


def found(seen: ObservedUser, **settings: object) -> Here:
    stack = declared(**settings)
    clients = meant(stack, seen, Snapshot())
    return Here(stack, UserShell(LocalShell()), seen, clients, wiring())


def connected() -> ObservedUser:
    seen = user(found=frozenset({"kilo"}))
    (change,) = plan_user(seen, found(seen).documents(["kilo"])).changes
    assert change.after is not None and change.record is not None
    there = file(change.path, change.after)
    return replace(
        seen,
        records={"kilo": change.record.to_bytes()},
        files={"@config/kilo/kilo.jsonc": there, change.path: there},
    )


def test_files_that_are_as_they_should_be_are_well() -> None:
    (told,) = judged(found(connected()))
    assert told.is_well and told.finding == "kilo: 1 file is as they should be"


def test_a_file_that_a_converge_would_change_is_not() -> None:
    seen = user(found=frozenset({"kilo"}))
    (told,) = judged(found(seen))
    assert not told.is_well and "~/.config/kilo/kilo.jsonc is not as it should be" in told.finding


def test_what_is_ours_in_a_client_that_is_not_declared_is_told() -> None:
    (told,) = judged(found(connected(), clients=[]))
    assert not told.is_well and "holds what was ours" in told.finding


def test_none_is_well_too() -> None:
    (told,) = judged(found(user()))
    assert told.is_well and "connect lists" in told.finding


def test_attack_16_a_look_that_fails_is_a_finding_and_ends_no_doctor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("console.looking.clients.look", lambda *_, **__: None)
    looked = SimpleNamespace(stack=declared(), snapshot=Snapshot())
    (told,) = client_checks(looked)  # type: ignore[arg-type]
    assert not told.is_well and "no home folder" in told.finding


def test_attack_16_a_bomb_is_one_finding_by_name() -> None:
    bomb = {"~/.continue/config.yaml": b"a: &a [*a]\n"}
    seen = user(bomb, found=frozenset({"kilo", "continue"}))
    told = [check.finding for check in judged(found(seen))]
    assert len(told) == 2 and "connect continue of hector" in told[0]
