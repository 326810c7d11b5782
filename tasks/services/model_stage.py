"""The stage of the models."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.run.current import current_run
from tasks.services import model_operations as operations


@deploy("Models")
def provision_models() -> None:
    """Bring the models of every selected service to their declaration, one service at a time."""
    for service in current_run().stack.selected:
        operations.models(service=service, name=f"Converge {service.name}", _ignore_errors=True)
