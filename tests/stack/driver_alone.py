"""Deploy of test_nvidia_host.py: the real stages of the driver, for a card that is told.

No host can be given a card on its PCI bus, so what was observed of it is put where the stages keep
it; packages, apt, plan and report are real. The card and its driver 570.133.20 are invented.
"""

from tasks.converge.preflight import plan, preflight
from tasks.converge.report import report
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.stage import check_nvidia, install_driver
from tasks.run.pyinfra.current import current_run
from tasks.words.steps import Action
from tests.unit.tasks.nvidia.samples import with_driver


def only_the_driver(run, host_steps, snapshot):  # type: ignore[no-untyped-def]
    """Leave engine and services out of the plan."""
    return [step for step in host_steps if step.action is Action.INSTALL_DRIVER]


preflight()
current_run().seen.once(Nvidia, lambda: with_driver("570.133.20"))
check_nvidia()
plan(only_the_driver)
install_driver()
report()
