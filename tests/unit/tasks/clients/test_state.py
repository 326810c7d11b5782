"""The clients of all users of a host: what goes wrong with one user stops no other."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.clients import state
from tasks.clients.look import LookFailed, ObservedUser
from tasks.clients.state import SeenUsers, plan_clients, plan_removal
from tasks.containers.observed import Snapshot
from tasks.host.observed import ObservedHost
from tasks.run.run import Run
from tasks.shell.as_user import UserShell
from tests.unit.tasks.clients.samples import declared, user, wiring
from tests.unit.tasks.runs import run_on

KILO = "@config/kilo/kilo.jsonc"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a run on a host with three users, of whom eve means no good."""
    monkeypatch.setattr(state, "_wiring", lambda *_, **__: (wiring(), set()))
    monkeypatch.setattr(state, "look", lambda *_, **__: user())
    made = run_on(stack=declared(clients=["kilo"], client_users=["hector", "eve", "ada"]))
    made.seen.once(ObservedHost, lambda: ObservedHost(uid=0, user="root"))
    return made


def outcome(run: Run) -> tuple[list[str], list[str]]:
    """Return whose files are changed, and what failed."""
    plan = plan_clients(run, Snapshot(), is_ahead=False)
    return [seen.name for _, seen, _ in plan.changes], [f.what for f in plan.failures]


@pytest.mark.parametrize(
    "error", [RecursionError(), LookFailed("no answer within 60 s"), ValueError("\x1b[2J")]
)
def test_attack_16_a_look_at_one_user_that_fails_stops_no_other(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def look(shell: UserShell, *_: Any, **__: Any) -> ObservedUser:
        if shell.name == "eve":
            raise error
        return user()

    monkeypatch.setattr(state, "look", look)
    assert outcome(run) == (["hector", "ada"], ["clients of eve"])


def test_attack_16_a_plan_of_one_user_that_fails_stops_no_other(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = state.plan_user

    def plan_user(seen: ObservedUser, *rest: Any) -> Any:
        if seen.name == "eve":
            raise RecursionError
        return planned(seen, *rest)

    monkeypatch.setattr(state, "plan_user", plan_user)
    assert outcome(run) == (["hector", "ada"], ["clients of eve"])
    run.seen.forget(SeenUsers)
    assert [f.what for f in plan_removal(run).failures] == ["clients of eve"]


def test_attack_16_a_bomb_of_one_user_stops_no_other(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(shell: UserShell, *_: Any, **__: Any) -> ObservedUser:
        return user({KILO: b'{"a":' + b"[" * 5000} if shell.name == "eve" else {})

    monkeypatch.setattr(state, "look", look)
    changed, failed = outcome(run)
    assert changed == ["hector", "ada"]
    assert failed == ["connect kilo of eve: ~/.config/kilo/kilo.jsonc: left alone"]


def test_attack_16_a_user_is_who_was_asked_for_whatever_the_look_says(run: Run) -> None:
    plan = plan_clients(run, Snapshot(), is_ahead=False)
    assert [step.subject[:17] for step in plan.steps()][1] == "kilo of eve: ~/.c"


def test_attack_16_a_look_as_root_that_fails_is_told_and_stops_no_user(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(shell: UserShell, *_: Any, **__: Any) -> ObservedUser | None:
        return user() if shell.name else None

    monkeypatch.setattr(state, "look", look)
    changed, failed = outcome(run)
    assert changed == ["hector", "eve", "ada"] and failed == ["Kilo Code for all users"]
