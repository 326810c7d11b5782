"""The stage of the clients: one step a file, planned from the servers as they are by then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tasks.clients.apply import apply
from tasks.clients.state import ClientPlan, plan_clients, plan_removal
from tasks.containers.facts import observe
from tasks.run.pyinfra.current import current_run
from tasks.run.pyinfra.stages import perform, stage
from tasks.run.run import Run
from tasks.run.work import Command, Take, Work, commands_of, nothing_shared
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step


def write(run: Run, step: Step, nothing: None) -> None:
    """Write one file of a client. Raises StepFailed."""
    shell, user, change = step.target
    apply(shell, user, run.stack.container_prefix, change)


TAKES: Mapping[Action, Take[None]] = {Action.CONNECT: write, Action.DISCONNECT: write}


def _commands(run: Run, plan: ClientPlan) -> Iterable[Command]:
    for note in plan.notes:
        run.teller.note(note)

    def planned(run: Run) -> Iterator[Step | Failure]:
        yield from plan.steps()
        yield from plan.failures

    commands = list(commands_of(run, Work("clients", planned, TAKES, nothing_shared)))
    # As one: a command that fails would keep pyinfra from the next ones.
    return [lambda: all([command() for command in commands])] if commands else []


@stage("Clients")
def connect_clients() -> None:
    """Bring the files of editors and other clients to what the services are now."""

    def body(run: Run, is_executing: bool) -> Iterable[Command]:
        return _commands(run, plan_clients(run, observe(run), is_ahead=not is_executing))

    perform("Connect clients", body, what="clients")


@stage("Clients")
def disconnect_clients() -> None:
    """Take what is ours out of the files of editors and other clients."""
    if not current_run().stack.options.only:
        perform(
            "Disconnect clients", lambda run, _: _commands(run, plan_removal(run)), what="clients"
        )
