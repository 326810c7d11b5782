"""Temporary."""
from pyinfra.api import deploy
from tasks.run import current_run
from tasks.layers import rooted
from tasks.lockfile import LockFile
from tasks.ollama.facts import observe
from tasks.plan import whole_plan, refuse
from tasks.steps import plan_lines
from tasks.report.operations import print_failures_last

@deploy("Preflight")
def preflight():
    run = current_run()
    run.lock = LockFile.load(rooted(run.stack.lock))
    snapshot = observe(run)
    refuse(run, snapshot)
    for line in plan_lines(whole_plan(run, [], snapshot)):
        run.log(line)
    print_failures_last()
