"""The clients as a pyinfra operation: each file is a step, and one that fails stops no other."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api import FunctionCommand, operation

from tasks.clients.apply import apply
from tasks.clients.look import ObservedUser
from tasks.clients.outcome import FileChange
from tasks.clients.state import plan_clients, plan_removal, step_of
from tasks.containers.facts import observe
from tasks.run.boundary import bounded
from tasks.run.current import current_run
from tasks.run.run import Run
from tasks.run.take import failed, step_command
from tasks.shell.as_user import UserShell
from tasks.words.steps import Step


@operation()
@bounded
def clients(is_removal: bool = False) -> Generator[FunctionCommand, None, None]:
    """Bring the files of the clients to what the services are now, or take ours out of them."""
    run = current_run()
    if run.has_failed(""):
        return
    if is_removal:
        plan = plan_removal(run)
    else:
        plan = plan_clients(run, observe(run), is_ahead=not run.is_executing)
    for note in plan.notes:
        run.note(note)
    commands = [
        *(
            step_command(run, step_of(user, change), _write, shell, user, change)
            for shell, user, change in plan.changes
        ),
        *(failed(run, failure) for failure in plan.failures),
    ]
    if commands:
        # As one: a command that fails would keep pyinfra from the next ones.
        yield FunctionCommand(_all, (commands,), {})


def _all(state: Any, host: Any, commands: list[FunctionCommand]) -> bool:
    done = [command.function(state, host) for command in commands]
    return all(done)


def _write(run: Run, step: Step, shell: UserShell, user: ObservedUser, change: FileChange) -> None:
    apply(shell, user, run.stack.container_prefix, change)
