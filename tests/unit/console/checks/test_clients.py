"""What the doctor says of clients' files."""

from __future__ import annotations

from dataclasses import replace

from console.checks.clients import judged
from console.connect import Here
from tasks.editors.documents import meant
from tasks.editors.look import ObservedUser
from tasks.editors.plan import plan_user
from tasks.editors.users import UserShell
from tasks.ollama.observed import Snapshot
from tasks.shell import LocalShell
from tests.unit.tasks.editors.samples import declared, file, user, wiring


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
