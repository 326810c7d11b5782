"""What is there now, looked at once for all stages between two changes."""

from __future__ import annotations

from tasks.ollama.look import look
from tasks.ollama.observed import Snapshot
from tasks.run import Run


def observe(run: Run) -> Snapshot:
    """Look at the host, or return what was seen since the last change."""
    seen: Snapshot | None = run.memory.get(Snapshot)
    if seen is None:
        seen = run.memory[Snapshot] = look(run, run.stack)
    return seen


def observe_afresh(run: Run) -> Snapshot:
    """Look at the host again, whatever was seen before."""
    run.memory.clear()
    return observe(run)
