"""Who asks registries and servers from this machine, without a run of pyinfra."""

from __future__ import annotations

from console.looking.host import shell_for
from tasks.declared.stack import Stack
from tasks.registry.manifests import Asker


def asker_here(stack: Stack) -> Asker:
    """Return who asks for a declaration, as the user who may ask Docker."""
    return Asker(stack, shell_for(stack.docker_socket))
