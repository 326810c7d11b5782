"""What came of the files of one user, and the boundary: no file stops another one.

Who writes these files need not mean well. Whatever exception comes of one of them, that file is
left alone by name, with cause and remedy, and the next ones are seen to.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tasks.clients import messages
from tasks.clients.look import ObservedUser
from tasks.clients.record import BrokenRecord, Record
from tasks.words.failures import Failed, Failure
from tasks.words.printable import printable

# Whose failures these are: no service waits for them.
CLIENTS = "clients"


@dataclass(frozen=True)
class FileChange:
    """One file to write, or to take away where `after` is None.

    `path` is where a link leads; `before` is the SHA-256 of what is there, "" where there is
    nothing; `record` is None where nothing of ours is left. `backs_up`: it was nobody's but the
    user's until now. `is_as_before`: it is again what the copy of it holds.
    """

    name: str
    client: str
    path: str
    shown: str
    before: str
    after: bytes | None
    mode: int
    record: Record | None
    why: str
    folders: tuple[str, ...] = ()
    backs_up: bool = False
    is_as_before: bool = False


@dataclass
class Outcome:
    """What the plan of one user came to."""

    changes: list[FileChange] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, other: Outcome) -> None:
        """Add what the plan of one file came to."""
        self.changes += other.changes
        self.failures += other.failures
        self.notes += other.notes


class Refused(Failed):
    """A file is left alone."""


@contextmanager
def bounded(found: Outcome, user: ObservedUser, name: str, what: str) -> Iterator[Outcome]:
    """Give an outcome for one file, which counts only where all of it could be planned."""
    planned = Outcome()
    try:
        yield planned
    except BrokenRecord as error:
        found.failures.append(broken(user, name, what, error))
    except Refused as error:
        found.failures.append(error.named(f"{what}: left alone", CLIENTS))
    except Exception as error:
        found.failures.append(odd(f"{what}: left alone", error, record_place(user, name)))
    else:
        found.take(planned)


def odd(what: str, error: Exception, place: str) -> Failure:
    """Return the failure for what a file held that nobody foresaw."""
    kind, words = type(error).__name__, printable(error, 200)
    cause = messages.ODD(place=place, kind=kind, words=words)
    return Failure(what, cause, messages.REPORT(), CLIENTS)


def broken(user: ObservedUser, name: str, what: str, error: BrokenRecord) -> Failure:
    """Return the failure for a record that cannot be read."""
    cause = messages.RECORD(place=record_place(user, name), reason=error.reason)
    return Failure(what, cause, messages.RECORD_AWAY(), CLIENTS)


def record_place(user: ObservedUser, name: str) -> str:
    """Return where a record is, for people."""
    return shown(user, f"{user.state}/ollama-stack/*/{name}.record")


def shown(user: ObservedUser, path: str) -> str:
    """Return a path as people write it."""
    is_at_home = path.startswith(f"{user.home}/")
    return printable(f"~{path.removeprefix(user.home)}" if is_at_home else path)
