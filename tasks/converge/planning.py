"""The plan of a whole run on one host: judged, shown, and kept for what is taken later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from tasks.container_toolkit.state import plan_toolkit
from tasks.containers.facts import observe
from tasks.containers.observed import Snapshot
from tasks.converge.advisories import image_notes
from tasks.converge.downloads import check_downloads
from tasks.converge.plan import ability_notes, docker_commands, gpu_notes
from tasks.docker_engine.plan import EngineState
from tasks.docker_engine.state import plan_engine
from tasks.host.preflight import find_port_faults
from tasks.nvidia.state import plan_driver
from tasks.records import journal
from tasks.run.pyinfra.usage import is_dry
from tasks.run.run import Run
from tasks.run.unforeseen import looked
from tasks.services.plan import orphans, refuse
from tasks.vram.check import check_vram
from tasks.words.plan import Plan
from tasks.words.steps import Step

Planner = Callable[[Run, list[Step], Snapshot], Iterable[Step]]
AFTER_ENGINE = {
    "install": "after Docker Engine is installed",
    "start": "after Docker Engine is started",
}


def show_plan(run: Run, planner: Planner) -> None:
    """Plan every stage from what is there now, refuse what must not be done, print the rest."""
    if run.teller.has_failed(""):
        return
    nothing: list[Step] = []
    steps = looked(run, "the plan", lambda: _plan(run, planner), nothing)
    shown = Plan(tuple(steps), tuple(run.teller.failures))
    run.decided = replace(run.decided, plan=shown)
    for step in shown.steps:
        journal.write("planned", host=run.shell.name, **_planned(step))
    for line in shown.lines():
        run.teller.log(line)
    _show_commands(run, steps)


def _planned(step: Step) -> dict[str, str]:
    what = {"action": str(step.action), "subject": step.subject, "why": step.why}
    return {"service": step.service, **what}


def _plan(run: Run, planner: Planner) -> list[Step]:
    engine = plan_engine(run)
    toolkit = plan_toolkit(run)
    for failure in (*engine.failures, *toolkit.failures):
        run.teller.fail(failure)
    for note in (*engine.notes, *toolkit.notes):
        run.teller.note(note)
    if engine.kind == "unreachable" or run.teller.has_failed(""):
        return []
    run.decided = replace(run.decided, engine_needs=AFTER_ENGINE.get(engine.kind, ""))
    snapshot = observe(run) if engine.kind == "ready" else Snapshot()
    refuse(run, snapshot)
    if run.teller.has_failed(""):
        return []
    ours = _our_ports(run, snapshot)
    for failure in find_port_faults(run, ours, snapshot.published_by_others()):
        if not snapshot.unknown_of(failure.service):
            # It may be the very container that could not be seen.
            run.teller.fail(failure)
    driver = plan_driver(run).step
    host_steps = [*([driver] if driver else []), *engine.steps, *toolkit.steps]
    steps = list(planner(run, host_steps, snapshot))
    _check_downloads(run, engine, steps)
    check_vram(run, steps, snapshot)
    for note in (
        *orphans(run, snapshot)[1],
        *image_notes(run.stack),
        *gpu_notes(run, snapshot),
        *ability_notes(run, snapshot),
    ):
        run.teller.note(note)
    return list(planner(run, host_steps, snapshot))


def _check_downloads(run: Run, engine: EngineState, steps: list[Step]) -> None:
    if engine.kind == "ready":
        check_downloads(run, steps)
    else:
        run.teller.note(
            "not checked before Docker Engine is there: registries and space for models"
        )


def _our_ports(run: Run, snapshot: Snapshot) -> set[int]:
    """Return the host ports that our own containers hold, and one that is taken over by consent."""
    adopt = run.stack.options.adopt
    names = {run.stack.container_name(s) for s in run.stack.services if s.name == adopt}
    adopted = (c for c in snapshot.containers if c.name in names)
    return snapshot.ports_of(run.stack.container_prefix).union(*(c.held_ports for c in adopted))


def _show_commands(run: Run, steps: list[Step]) -> None:
    """In a dry run, show the docker commands that the creations equal."""
    if not is_dry():
        return
    for line in docker_commands(run, steps):
        run.teller.log(line)
