"""The stage that removes the stack."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tasks.clients.state import plan_removal
from tasks.containers.facts import observe
from tasks.run.pyinfra.current import current_run
from tasks.run.pyinfra.stages import carry_out, stage
from tasks.run.run import Run
from tasks.run.work import Work
from tasks.services.moved import begin
from tasks.services.plan import observe_known, removals
from tasks.services.takes import TAKES
from tasks.words.plan import Plan
from tasks.words.steps import Step


def removal_steps(run: Run) -> Iterable[Step]:
    """Plan the removal of every container of this stack, and of its volumes by consent."""
    snapshot = observe_known(run)
    return () if run.teller.has_failed("") else removals(run, snapshot)


REMOVAL = Work("removed", removal_steps, TAKES, begin)


def show_removal(run: Run) -> None:
    """Show every step of the removal, the files of the clients included."""
    clients = [] if run.stack.options.only else plan_removal(run).steps()
    shown = Plan((*removals(run, observe(run)), *clients))
    run.decided = replace(run.decided, plan=shown)
    for line in shown.lines():
        run.teller.log(line)


@stage("Removal")
def remove_containers() -> None:
    """Remove the stack: its containers, and with `purge` its volumes and models too."""
    run = current_run()
    if run.teller.has_failed(""):
        return
    show_removal(run)
    carry_out("Remove this stack", REMOVAL)
