"""The last stage: the report."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.report import operations


@deploy("Report")
def report() -> None:
    """Show what stands now, and fail the host where anything failed."""
    operations.report(name="Show what stands now")
