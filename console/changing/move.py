"""An upgrade or a rollback of this machine: stack.toml is edited, a deploy run, or all put back."""

from __future__ import annotations

import errno
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from console.changing.doing import Doing
from console.changing.log import typed_words
from console.changing.stack_toml import Declaration, Edits, remove_leftovers_of
from console.looking.host import declared, lock_of, snapshot_of
from console.looking.inventory import inventory_now
from console.looking.services import interrupted
from console.say import INTERRUPTED, end, say, show
from console.words.trouble import Trouble
from tasks.containers.observed import Snapshot
from tasks.database.database import DatabaseError, record
from tasks.declared.layers import rooted, stack_file
from tasks.declared.stack import DeclarationError, Service, Stack
from tasks.files import lock as filelock
from tasks.files.atomic import user_name
from tasks.records.lockfile import LockFile

ENDS = (signal.SIGTERM, signal.SIGHUP)


class _Ended(BaseException):
    """The console was told to end."""

    def __init__(self, signum: int) -> None:
        self.status = 128 + signum


def move(
    doing: Doing,
    stack: Stack,
    service: Service | None,
    parts: str,
    edits_for: Callable[[LockFile | None], Edits],
    *,
    say_yes: bool,
) -> int:
    """Edit stack.toml, run a deploy, and declare again what was declared before if it fails.

    Returns the exit status.
    """
    if service is not None and not service.active:
        raise click.UsageError(f"{service.name} is declared inactive: activate it first")
    only = [f"only={service.name}"] if service else []
    data = [*only, f"parts={parts}"] if parts else only
    is_dry = doing.is_dry
    with only_one():
        if interrupted(stack, _look(stack), lock_of(stack)) and not is_dry:
            say("A run before this one was interrupted: that is brought in order first.")
            status = doing.run("stack", only, say_yes=say_yes, file=stack_file())
            if status:
                return status
        return run_declared(
            doing,
            edits_for(lock_of(stack)),
            lambda file: doing.run(doing.verb, data, say_yes=say_yes, file=file),
            back_to=stack,
        )


def run_declared(
    doing: Doing, edits: Edits, run: Callable[[Path], int], *, back_to: Stack | None
) -> int:
    """Edit stack.toml and run with it; returns the exit status.

    Where the run fails or is ended, what was declared before (`back_to`) is declared again, if that
    is wanted.
    """
    declaration, status = Declaration(), INTERRUPTED
    doing.tell(declaration, edits)
    try:
        with _ending_cleanly(), declaration.edit(edits, is_dry=doing.is_dry) as file:
            status = run(file)
    except _Ended as ended:
        status = ended.status
    except OSError as error:
        end(Trouble(f"{declaration.path} cannot be written: {error.strerror}", "mend its rights"))
    finally:
        if status and edits and not doing.is_dry and back_to is not None:
            _declare_again(doing, declaration, edits, back_to)
    return status


def _look(stack: Stack) -> Snapshot:
    snapshot, trouble = snapshot_of(stack)
    if trouble is not None:
        end(trouble)
    return snapshot


def _declare_again(doing: Doing, declaration: Declaration, edits: Edits, stack: Stack) -> None:
    """Take the edits back, and write down what is there by that declaration."""
    moved = declaration.take_back(edits, stack, lock_of(stack))
    doing.are_edits_undone = not moved
    left = f", except for {', '.join(moved)}, proven with the new one" if moved else ""
    show(f"{declaration.path.name} declares what it did before{left}.", err=True)
    with suppress(DatabaseError, DeclarationError):
        present = declared()
        snapshot, trouble = snapshot_of(present)
        if trouble is None:
            record(rooted(present.database), inventory_now(present, snapshot))


@contextmanager
def only_one() -> Iterator[None]:
    """Let one console edit this stack.toml at a time; the lock ends with its holder."""
    path = stack_file().with_name(".main.lock")
    with ExitStack() as held:
        try:
            held.enter_context(filelock.only_one(path, typed_words()))
        except filelock.HeldError as error:
            end(Trouble(f"another command is at work here: {error}", "wait until it ends"))
        except OSError as error:
            end(Trouble(f"{path} cannot be locked: {error.strerror}", _remedy(error, path)))
        remove_leftovers_of(stack_file())
        yield


def _remedy(error: OSError, path: Path) -> str:
    """Say what lets this user lock a file that somebody else may have made."""
    if error.errno in (errno.ELOOP, errno.EINVAL):
        return f"mv {path} {path}.old; then run again"
    if not isinstance(error, PermissionError):
        return f"see to it that {path.parent} can be written, then run again"
    owner = user_name(path.parent.stat().st_uid)
    return f"run it as {owner}, whose folder {path.parent} is; or: sudo chown {owner}: {path}"


@contextmanager
def _ending_cleanly() -> Iterator[None]:
    """See to it that a closed terminal, or an order to end, puts stack.toml back as Ctrl-C does."""

    def ended(signum: int, frame: Any) -> NoReturn:
        raise _Ended(signum)

    before = {signum: signal.signal(signum, ended) for signum in ENDS}
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)
