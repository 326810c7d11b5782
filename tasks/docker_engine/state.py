"""The engine's state on the host of a run: the looks joined with the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tasks.docker_engine.facts import observe_engine
from tasks.docker_engine.plan import EngineState, engine_state, wants_engine_facts
from tasks.host.facts import observe_host
from tasks.host.support import support_note
from tasks.run.run import Run


def plan_engine(run: Run) -> EngineState:
    """Plan the engine's stage; the engine itself is asked only where its settings matter."""
    host = observe_host(run)
    engine = None
    if wants_engine_facts(host, run.stack):
        engine = observe_engine(run, is_up=host.answers)
    state = engine_state(host, run.stack, engine)
    return replace(state, notes=(*state.notes, *support_note(host.distribution, date.today())))
