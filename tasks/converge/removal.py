"""The stage that removes the stack."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.clients.state import plan_removal
from tasks.containers.facts import observe
from tasks.run.current import current_run
from tasks.services import operations
from tasks.services.plan import removals
from tasks.words.steps import plan_lines


@deploy("Removal")
def remove_containers() -> None:
    """Remove the stack: its containers, and with `purge` its volumes and models too."""
    run = current_run()
    if run.has_failed(""):
        return
    clients = [] if run.stack.options.only else plan_removal(run).steps()
    for line in plan_lines([*removals(run, observe(run)), *clients]):
        run.log(line)
    operations.removed(name="Remove this stack", _ignore_errors=True)
