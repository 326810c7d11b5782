"""Clients by hand, on this machine: the same look, plan and writing as the converge's."""

from __future__ import annotations

from collections.abc import Sequence

from console.changing.doing import Doing
from console.changing.log import note
from console.changing.move import only_one, run_declared
from console.changing.stack_toml import Edits
from console.looking.clients import Here, here, tell_unknown
from console.looking.host import declared
from console.say import say, show
from tasks.clients.apply import apply
from tasks.clients.documents import (
    NAMES,
)
from tasks.clients.outcome import FileChange, Outcome, odd
from tasks.clients.plan import plan_user
from tasks.words.failures import StepFailed


def change(clients: Sequence[str], *, remove: bool, is_dry: bool) -> int:
    """Connect clients, or disconnect them (all where none is named); returns the exit status.

    It is declared first, so that the next converge keeps to it.
    """
    with only_one():
        # Looked at under the lock: another command may just have declared something else.
        machine = here(declared())
        if remove:
            gone = {*clients} or {*NAMES}
            outcome = plan_user(machine.only(gone), ())
            declares = [name for name in machine.clients if name not in gone]
            is_declared = not gone & {*machine.clients}
        else:
            outcome = _outcome(machine, clients)
            declares = [*machine.stack.clients, *(c for c in clients if c not in machine.clients)]
            is_declared = declares == [*machine.stack.clients]
        edits: Edits = {} if is_declared else {("clients",): declares}
        if edits and "auto" in machine.stack.clients and "auto" not in declares:
            say('"auto" is not among them any more: what is installed later is not found by itself')
        doing = Doing("connect", is_dry)
        return run_declared(
            doing, edits, lambda _: carry_out(machine, outcome, is_dry), back_to=None
        )


def _outcome(machine: Here, clients: Sequence[str]) -> Outcome:
    documents = machine.documents(clients)
    for name in clients:
        if name not in {document.client for document in documents}:
            say(f"{name}: no folder of its settings is here: nothing is written for it")
    tell_unknown(machine)
    return plan_user(machine.only(clients), documents, machine.wiring.unknown)


def carry_out(machine: Here, outcome: Outcome, is_dry: bool) -> int:
    """Do what is planned, file by file; returns the exit status."""
    failures = [line for failure in outcome.failures for line in failure.lines()]
    for text in outcome.notes:
        say(text)
    for one in outcome.changes:
        say(f"{told(one)}{' (not done: --dry)' if is_dry else ''}")
        if is_dry:
            continue
        try:
            apply(machine.shell, machine.user, machine.stack.container_prefix, one)
            note(told(one))
        except StepFailed as error:
            failures += [f"cause:  {error.cause}", f"remedy: {error.remedy}"]
        except Exception as error:
            # Of this file alone: the next ones are written all the same.
            failures += odd(told(one), error, one.shown).lines()
    if not outcome.changes and not failures:
        say("nothing to do: every file is as it should be")
    if failures:
        show(*failures, err=True)
    return 1 if failures else 0


def told(change: FileChange) -> str:
    """Say what is done to a file."""
    doing = "write" if change.record is not None else "take ours out of"
    return f"{change.client}: {doing} {change.shown} ({change.why})"
