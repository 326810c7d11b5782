"""The stage of the inventory: the post-deploy hook."""

from __future__ import annotations

from pathlib import Path

from pyinfra.api import deploy

from tasks.database import operations
from tasks.run.current import current_run


@deploy("Inventory")
def record_inventory() -> None:
    """Write what is really there into the database, whatever failed before."""
    database = Path(current_run().stack.database).name
    operations.inventory(name=f"Record in {database}", _ignore_errors=True)
