"""The stage of the engine."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.docker_engine.operations import engine


@deploy("Docker Engine")
def install_engine() -> None:
    """Install, configure and start Docker Engine, as far as that is needed."""
    engine(name="Install and start", _ignore_errors=True)
