"""The stage of the NVIDIA Container Toolkit."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.container_toolkit.operations import toolkit


@deploy("NVIDIA toolkit")
def install_toolkit() -> None:
    """Install and register the toolkit, where a GPU is used and it is missing."""
    toolkit(name="Install and register", _ignore_errors=True)
