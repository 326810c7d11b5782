"""The last stage: the report."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.converge import report as operations


@deploy("Report")
def report() -> None:
    """Show what stands now, and fail the host where anything failed."""
    operations.report(name="Show what stands now")
