"""The first operation: nothing changes on a host whose preflight failed."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from pyinfra.api import FunctionCommand, operation

from tasks.preflight.usage import parameters
from tasks.run import current_run


@operation()
def preflight() -> Generator[FunctionCommand, None, None]:
    """End the host here where it failed as a whole; a service that failed is left out later."""
    run = current_run()
    if run.is_executing and not parameters().get("yes"):
        # A person had to confirm: the host may have changed meanwhile.
        run.memory.clear()
    if run.has_failed(""):
        yield FunctionCommand(_refuse, (), {})


def _refuse(state: Any, host: Any) -> bool:
    return False
