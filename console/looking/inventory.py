"""Writing what is there now into the database, by the hook's own code."""

from __future__ import annotations

from tasks.containers.observed import Snapshot
from tasks.database.database import rows_of
from tasks.database.rows import Inventory, inventory_of
from tasks.declared.layers import rooted
from tasks.declared.stack import Stack
from tasks.run.decided import HostDetails
from tasks.words.steps import LOCAL


def inventory_now(stack: Stack, snapshot: Snapshot, host: str = LOCAL) -> Inventory:
    """Make the rows of a host; what only a converge looks at stays as it was."""
    known = next(
        (row for row in rows_of(rooted(stack.database), "hosts") if row["name"] == host), {}
    )
    fields = HostDetails.__dataclass_fields__
    details = HostDetails(**{name: str(known.get(name) or "") for name in fields})
    return inventory_of(host, stack, snapshot, details, {}, [])
