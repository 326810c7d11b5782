"""The post-deploy hook: what is really there, written into the database."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from tasks.containers.facts import observe
from tasks.database.database import DatabaseError, is_up_to_date, record
from tasks.database.rows import Inventory, Row, inventory_of
from tasks.declared.layers import rooted
from tasks.records.scrub import scrubber_for
from tasks.run.pyinfra.current import current_run
from tasks.run.pyinfra.stages import perform, stage
from tasks.run.run import Run
from tasks.run.session import RUN_ID
from tasks.run.unforeseen import unforeseen
from tasks.run.work import Command


def inventory_now(run: Run) -> Inventory:
    """Observe the host after the last change and make its rows."""
    scrubber = scrubber_for(run.stack.model_dump())
    events: list[Row] = [
        {
            **{"run": RUN_ID, "host": run.shell.name, **event.__dict__},
            **{"action": str(event.action), "why": scrubber.text(event.why)},
        }
        for event in run.teller.events
    ]
    details, proofs = run.decided.details, run.teller.proofs
    return inventory_of(run.shell.name, run.stack, observe(run), details, proofs, events)


def commands(run: Run) -> Iterable[Command]:
    """Return what writes what is really there; nothing where it is there already."""
    inventory = inventory_now(run)
    path = rooted(run.stack.database)
    return () if is_up_to_date(path, inventory) else (partial(_write, run, path, inventory),)


def _write(run: Run, path: Path, inventory: Inventory) -> bool:
    try:
        for note in record(path, inventory):
            run.teller.note(note)
    except DatabaseError as error:
        run.teller.fail(error.named("record the inventory: failed"))
        return False
    except Exception as error:
        run.teller.fail(unforeseen("record the inventory: failed", error))
        return False
    return True


@stage("Inventory")
def record_inventory() -> None:
    """Write what is really there into the database, whatever failed before."""
    name = Path(current_run().stack.database).name
    perform(f"Record in {name}", lambda run, _: commands(run), what="inventory")
