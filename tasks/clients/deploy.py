"""The stage of the clients."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.clients import operations
from tasks.run.current import current_run


@deploy("Clients")
def connect_clients() -> None:
    """Bring the files of editors and other clients to what the services are now."""
    operations.clients(name="Connect clients", _ignore_errors=True)


@deploy("Clients")
def disconnect_clients() -> None:
    """Take what is ours out of the files of editors and other clients."""
    if not current_run().stack.options.only:
        operations.clients(is_removal=True, name="Disconnect clients", _ignore_errors=True)
