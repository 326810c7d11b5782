"""Deploy of test_apt_hosts.py: the real stages of the toolkit, for a GPU that is told.

No host can be given a card on its PCI bus; that the GPU is usable is put where the stages keep it.
"""

from dataclasses import replace

from tasks.container_toolkit.stage import install_toolkit
from tasks.converge.preflight import plan, preflight
from tasks.converge.report import report
from tasks.run.pyinfra.current import current_run
from tasks.words.steps import Action

OF_THE_TOOLKIT = (Action.INSTALL_TOOLKIT, Action.CONFIGURE_TOOLKIT, Action.RESTART_ENGINE)


def only_the_toolkit(run, host_steps, snapshot):  # type: ignore[no-untyped-def]
    """Leave the services out of the plan."""
    return [step for step in host_steps if step.action in OF_THE_TOOLKIT]


preflight()
run = current_run()
run.decided = replace(run.decided, gpu_is_usable=True)
plan(only_the_toolkit)
install_toolkit()
report()
