"""The stages before anything changes: look, judge, and show the plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from tasks.container_toolkit.state import plan_toolkit
from tasks.containers.engine import FAILED_LOGS
from tasks.containers.facts import observe
from tasks.containers.observed import Snapshot
from tasks.converge import first
from tasks.converge.advisories import image_notes
from tasks.converge.downloads import check_downloads
from tasks.converge.plan import ability_notes, docker_commands, gpu_notes, whole_plan
from tasks.declared.layers import rooted, stack_file
from tasks.declared.stack import DeclarationError
from tasks.docker_engine.plan import EngineState
from tasks.docker_engine.state import plan_engine
from tasks.files.atomic import remove_leftovers, remove_leftovers_beside
from tasks.host.preflight import find_port_faults
from tasks.host.preflight import preflight as look_at_host
from tasks.nvidia.state import plan_driver
from tasks.records import journal
from tasks.records.lockfile import LockError
from tasks.records.runlog import RunLog
from tasks.run.last_words import print_failures_last
from tasks.run.pyinfra.current import current_run, declare_all
from tasks.run.pyinfra.stages import perform, refuse_all, set_failed, stage
from tasks.run.pyinfra.usage import (
    answer_for_pyinfra,
    check_usage,
    end_with_130_on_interrupt,
    is_asking,
    is_dry,
    parameters,
)
from tasks.run.run import Run
from tasks.run.session import RUN_ID, SESSION
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


@stage("Preflight")
def preflight() -> None:
    """Check how the run was called, the declaration and the lock, and find out as whom to act."""
    check_usage()
    end_with_130_on_interrupt()
    if is_asking():
        answer_for_pyinfra(_is_nothing_planned)
    print_failures_last()
    try:
        declare_all()
        run = current_run()
        run.held = run.held.by(SESSION.lock(rooted(run.stack.lock)))
    except (DeclarationError, LockError) as error:
        cause, _, remedy = str(error).partition("\n  remedy: ")
        journal.write("failure", service="", what="nothing was begun", cause=cause, remedy=remedy)
        refuse_all(error)
    if not is_dry():
        _tidy(run)
        run.teller.record = RunLog.of(run.stack, RUN_ID, run.shell.name, run.teller.note)
    if look_at_host(run) is not None and parameters().get("yes"):
        # Before the first look at what is there, so that nothing changes under this run.
        first.take_lock(run)
    perform("Check first", first.commands, what="preflight", ends_host=True)


def _tidy(run: Run) -> None:
    """Remove what killed runs left half-written on this machine."""
    for path in (stack_file(), rooted(run.stack.lock)):
        remove_leftovers_beside(path)
    remove_leftovers(rooted(run.stack.database).parent / FAILED_LOGS)


@stage("Plan")
def plan(planner: Planner = whole_plan) -> None:
    """Plan every stage from what is there now, refuse what must not be done, print the rest."""
    run = current_run()
    if not run.teller.has_failed(""):
        nothing: list[Step] = []
        steps = looked(run, "the plan", lambda: _plan(run, planner), nothing)
        shown = Plan(tuple(steps), tuple(run.teller.failures))
        run.decided = replace(run.decided, plan=shown)
        for step in shown.steps:
            journal.write("planned", host=run.shell.name, **_planned(step))
        for line in shown.lines():
            run.teller.log(line)
        _show_commands(run, steps)
    if run.teller.failures or is_asking():
        # The exit status of a look that found failures, and of a question that was not answered
        # with yes.
        set_failed(is_failed=True)


def _planned(step: Step) -> dict[str, str]:
    what = {"action": str(step.action), "subject": step.subject, "why": step.why}
    return {"service": step.service, **what}


def _is_nothing_planned() -> bool:
    return not any(map(_is_anything_planned, SESSION.runs.values()))


def _is_anything_planned(run: Run) -> bool:
    plan = run.decided.plan
    return plan is None or bool(plan.steps or run.teller.failures)


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
    ours = snapshot.ports_of(run.stack.container_prefix)
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


def _show_commands(run: Run, steps: list[Step]) -> None:
    """In a dry run, show the docker commands that the creations equal."""
    if not is_dry():
        return
    for line in docker_commands(run, steps):
        run.teller.log(line)
