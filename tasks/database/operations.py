"""The post-deploy hook: what is really there, written into the database."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api import FunctionCommand, operation

from tasks.containers.facts import observe
from tasks.database.database import DatabaseError, is_up_to_date, record
from tasks.database.rows import Inventory, Row, inventory_of
from tasks.declared.layers import rooted
from tasks.host.details import HostDetails
from tasks.records.scrub import scrubber_for
from tasks.run.boundary import bounded
from tasks.run.current import current_run
from tasks.run.run import RUN_ID, Run
from tasks.run.take import unforeseen


def found_now(run: Run) -> Inventory:
    """Observe the host after the last change and make its rows."""
    scrubber = scrubber_for(run.stack.model_dump())
    events: list[Row] = [
        {
            **{"run": RUN_ID, "host": run.host.name, **event.__dict__},
            **{"action": str(event.action), "why": scrubber.text(event.why)},
        }
        for event in run.events
    ]
    proofs = {name: (proof.verdict, proof.rate) for name, proof in run.proofs.items()}
    details = run.details or HostDetails()
    return inventory_of(run.host.name, run.stack, observe(run), details, proofs, events)


@operation()
@bounded
def inventory() -> Generator[FunctionCommand, None, None]:
    """Write what is really there into the database; nothing where it is there already."""
    run = current_run()
    found = found_now(run)
    path = rooted(run.stack.database)
    if is_up_to_date(path, found):
        return

    def write(state: Any, host: Any) -> bool:
        try:
            for note in record(path, found):
                run.note(note)
        except DatabaseError as error:
            run.fail(error.named("record the inventory: failed"))
            return False
        except Exception as error:
            run.fail(unforeseen("record the inventory: failed", error))
            return False
        return True

    yield FunctionCommand(write, (), {})
