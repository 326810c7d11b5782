"""The stage of the containers."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.run.current import current_run
from tasks.services import operations


@deploy("Containers")
def provision_containers() -> None:
    """Bring every selected container to its declaration, then what is no longer declared."""
    run = current_run()
    for service in run.stack.selected:
        operations.container(
            service=service,
            name=f"Converge {service.name}",
            _ignore_errors=True,
        )
    operations.undeclared(name="See to the undeclared", _ignore_errors=True)
