"""The stages of the NVIDIA stack: what is there, whether containers may use it, the driver."""

from __future__ import annotations

from pyinfra.api import deploy

from tasks.host.details import HostDetails
from tasks.host.facts import observe_host
from tasks.nvidia.facts import observe_nvidia
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.operations import driver
from tasks.nvidia.state import plan_driver
from tasks.nvidia.verdict import verdict
from tasks.run.current import current_run
from tasks.run.run import Run


@deploy("NVIDIA")
def check_nvidia() -> None:
    """Look at cards and driver, unless no service may use them; nothing here changes anything."""
    run = current_run()
    if run.has_failed(""):
        return
    nvidia = observe_nvidia(run) if run.stack.has_gpu_service else Nvidia()
    judged = verdict(nvidia, run.stack, plan_driver(run))
    run.gpu_is_usable, run.gpu_on_hold = judged.usable, judged.hold
    run.details = _details(run, nvidia)
    for failure in judged.failures:
        run.fail(failure)
    for note in judged.notes:
        run.note(note)


@deploy("NVIDIA driver")
def install_driver() -> None:
    """Install the driver, where that is asked for and there is a card without one."""
    driver(name="Install the driver", _ignore_errors=True)


def _details(run: Run, nvidia: Nvidia) -> HostDetails:
    """Return what the inventory keeps of the host."""
    return HostDetails(
        os=observe_host(run).distribution.pretty_name,
        gpu=", ".join(gpu.name for gpu in nvidia.gpus),
        driver=nvidia.driver,
        cuda=nvidia.cuda,
    )
