"""The stages before anything changes: look, judge, and show the plan."""

from __future__ import annotations

from tasks.containers.engine import FAILED_LOGS
from tasks.converge import first
from tasks.converge.plan import whole_plan
from tasks.converge.planning import Planner, show_plan
from tasks.declared.layers import rooted, stack_file
from tasks.declared.stack import DeclarationError
from tasks.files.atomic import remove_leftovers, remove_leftovers_beside
from tasks.host.preflight import preflight as look_at_host
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
        # The faults of a declaration say by themselves what to mend.
        remedy = error.remedy if isinstance(error, LockError) else ""
        what = "nothing was begun"
        journal.write("failure", service="", what=what, cause=error.cause, remedy=remedy)
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
    show_plan(run, planner)
    if run.teller.failures or is_asking():
        # The exit status of a look that found failures, and of a question that was not answered
        # with yes.
        set_failed(is_failed=True)


def _is_nothing_planned() -> bool:
    return not any(map(_is_anything_planned, SESSION.runs.values()))


def _is_anything_planned(run: Run) -> bool:
    plan = run.decided.plan
    return plan is None or bool(plan.steps or run.teller.failures)
