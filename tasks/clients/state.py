"""The clients of a host, looked at once between two changes, and their plan."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tasks.clients import messages
from tasks.clients.documents import EDITIONS, FOUND_BY, documents, managed, meant, places
from tasks.clients.documents import MANAGED as MANAGED_PLACE
from tasks.clients.look import LookFailed, ObservedUser, look
from tasks.clients.outcome import CLIENTS, FileChange, Outcome
from tasks.clients.plan import plan_user
from tasks.clients.wiring import Wiring, known_shows, wiring_of
from tasks.containers.observed import Snapshot
from tasks.host.facts import observe_host
from tasks.run.run import Run
from tasks.run.unforeseen import unforeseen
from tasks.shell.as_user import UserShell
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step

MANAGED_STATE = "/var/lib"
KILO_MANAGED = "Kilo Code for all users"


@dataclass
class SeenUsers:
    """The users whose clients are kept in order, each with the shell to act by."""

    users: list[tuple[UserShell, ObservedUser]] = field(default_factory=list)
    managed: tuple[UserShell, ObservedUser] | None = None
    failures: list[Failure] = field(default_factory=list)


@dataclass
class ClientPlan:
    """What is to change, in order: each with whose file it is."""

    changes: list[tuple[UserShell, ObservedUser, FileChange]] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, shell: UserShell, user: ObservedUser, outcome: Outcome) -> None:
        """Add what the plan of one user came to."""
        self.changes += [(shell, user, change) for change in outcome.changes]
        self.failures += outcome.failures
        self.notes += outcome.notes

    def steps(self) -> list[Step]:
        """Return the plan as steps."""
        return [
            replace(step_of(user, change), target=(shell, user, change))
            for shell, user, change in self.changes
        ]


def step_of(user: ObservedUser, change: FileChange) -> Step:
    """Return the step that writes one file."""
    subject = f"{change.client} of {user.name}: {change.shown}"
    action = Action.CONNECT if change.record is not None else Action.DISCONNECT
    return Step(action, subject, f"{action} {subject}", change.why)


def observe_users(run: Run) -> SeenUsers:
    """Look at the users, or return what was seen since the last change."""
    return run.seen.once(SeenUsers, lambda: _look(run))


def _look(run: Run) -> SeenUsers:
    seen = SeenUsers()
    for shell in _shells(run, seen):
        name = shell.name or observe_host(run).user
        with _bounded(seen.failures, f"clients of {name}"):
            user = look(shell, {**FOUND_BY, **EDITIONS}, places(run.stack), _prefix(run))
            if user is not None:
                seen.users.append((shell, replace(user, name=name)))
                continue
            cause, remedy = messages.NO_HOME(user=name), messages.SEE_ACCOUNTS()
            seen.failures.append(Failure(f"clients of {name}", cause, remedy, CLIENTS))
    if observe_host(run).can_be_root:
        root = UserShell(run.shell)
        with _bounded(seen.failures, KILO_MANAGED):
            user = look(root, {}, [MANAGED_PLACE], _prefix(run), state=MANAGED_STATE)
            if user is None:
                raise LookFailed(messages.ROOT_NO_HOME())
            seen.managed = root, user
    return seen


def _prefix(run: Run) -> str:
    return run.stack.container_prefix


@contextmanager
def _bounded(failures: list[Failure], what: str) -> Iterator[None]:
    """Note what one user's look or plan failed of, so that those of others go on."""
    try:
        yield
    except LookFailed as error:
        cause = messages.CUT_OFF(cause=error.cause)
        failures.append(Failure(what, cause, error.remedy, CLIENTS))
    except Exception as error:
        failures.append(unforeseen(what, error, CLIENTS))


def _shells(run: Run, seen: SeenUsers) -> Iterator[UserShell]:
    host = observe_host(run)
    caller = host.sudo_user if host.is_root else ""
    for name in run.stack.client_users or (caller or host.user,):
        if name == host.user:
            yield UserShell(run.shell.as_caller())
        elif host.can_be_root:
            yield UserShell(run.shell, name)
        else:
            cause = messages.NEEDS_ROOT(user=host.user, other=name)
            remedy = messages.RUN_AS(other=name)
            seen.failures.append(Failure(f"clients of {name}", cause, remedy, CLIENTS))


def plan_clients(run: Run, snapshot: Snapshot, *, is_ahead: bool) -> ClientPlan:
    """Plan the clients of all users; `is_ahead`: before the services are as declared.

    What is not known of a model then is taken as it will most likely be.
    """
    plan = ClientPlan()
    seen = observe_users(run)
    plan.failures += seen.failures
    wiring, unknown = _wiring(run, snapshot, is_ahead=is_ahead)
    for shell, user in seen.users:
        with _bounded(plan.failures, f"clients of {user.name}"):
            clients = meant(run.stack, user, snapshot)
            is_remote = bool(run.stack.client_host)
            made = documents(wiring, clients, user, is_remote=is_remote) if wiring.services else ()
            plan.take(shell, user, plan_user(user, made, unknown))
    if seen.managed is not None:
        shell, user = seen.managed
        is_wanted = run.stack.kilo_managed and wiring.services
        with _bounded(plan.failures, KILO_MANAGED):
            plan.take(shell, user, plan_user(user, [managed(wiring)] if is_wanted else [], unknown))
    elif run.stack.kilo_managed and not observe_host(run).can_be_root:
        cause, remedy = messages.IS_ROOTS(place=MANAGED_PLACE), messages.SUDO_OR_UNMANAGED()
        plan.failures.append(Failure(KILO_MANAGED, cause, remedy, CLIENTS))
    return plan


def plan_removal(run: Run) -> ClientPlan:
    """Plan to take what is ours out of everybody's files."""
    plan, seen = ClientPlan(), observe_users(run)
    plan.failures += seen.failures
    for shell, user in (*seen.users, *([seen.managed] if seen.managed is not None else [])):
        with _bounded(plan.failures, f"clients of {user.name}"):
            plan.take(shell, user, plan_user(user, ()))
    return plan


def _wiring(run: Run, snapshot: Snapshot, *, is_ahead: bool) -> tuple[Wiring, set[str]]:
    locks = {service.name: run.held.locked(service) for service in run.stack.services}
    wiring = wiring_of(run.stack, Snapshot() if is_ahead else snapshot, known_shows(locks))
    failed = {s.name for s in wiring.services if run.teller.has_failed(s.name)}
    return wiring, failed | (set() if is_ahead else wiring.unknown)
