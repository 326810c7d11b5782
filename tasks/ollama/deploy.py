"""The stage of the containers."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.ollama import operations
from tasks.run import current_run


@deploy("Containers")
def provision_containers() -> None:
    """Bring every selected container to its declaration, then what is no longer declared."""
    run = current_run()
    for service in run.stack.selected:
        operations.container(
            service=service,
            name=f"Converge container {run.stack.container_name(service)}",
            _ignore_errors=True,
        )
    operations.undeclared(name="Look after what is no longer declared", _ignore_errors=True)
