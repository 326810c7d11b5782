"""The stage of the NVIDIA Container Toolkit."""

from __future__ import annotations

from tasks.container_toolkit.apply import WORK
from tasks.run.pyinfra.stages import carry_out, stage


@stage("NVIDIA toolkit")
def install_toolkit() -> None:
    """Install and register the toolkit, where a GPU is used and it is missing."""
    carry_out("Install and register", WORK)
