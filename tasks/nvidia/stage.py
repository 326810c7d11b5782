"""The stages of the NVIDIA stack: what is there, whether containers may use it, the driver."""

from __future__ import annotations

from dataclasses import replace

from tasks.host.facts import observe_host
from tasks.nvidia.apply import WORK
from tasks.nvidia.facts import observe_nvidia
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.state import plan_driver
from tasks.nvidia.verdict import verdict
from tasks.run.decided import HostDetails
from tasks.run.pyinfra.current import current_run
from tasks.run.pyinfra.stages import carry_out, stage
from tasks.run.run import Run


def judge_nvidia(run: Run) -> None:
    """Look at cards and driver, and keep what later stages need to know of them."""
    if run.teller.has_failed(""):
        return
    nvidia = observe_nvidia(run) if run.stack.has_gpu_service else Nvidia()
    judged = verdict(nvidia, run.stack, plan_driver(run))
    run.decided = replace(
        run.decided,
        gpu_is_usable=judged.usable,
        gpu_on_hold=judged.hold,
        details=_details(run, nvidia),
    )
    for failure in judged.failures:
        run.teller.fail(failure)
    for note in judged.notes:
        run.teller.note(note)


@stage("NVIDIA")
def check_nvidia() -> None:
    """Look at cards and driver, unless no service may use them; nothing here changes anything."""
    judge_nvidia(current_run())


@stage("NVIDIA driver")
def install_driver() -> None:
    """Install the driver, where that is asked for and there is a card without one."""
    carry_out("Install the driver", WORK)


def _details(run: Run, nvidia: Nvidia) -> HostDetails:
    """Return what the inventory keeps of the host."""
    return HostDetails(
        os=observe_host(run).distribution.pretty_name,
        gpu=", ".join(gpu.name for gpu in nvidia.gpus),
        driver=nvidia.driver,
        cuda=nvidia.cuda,
    )
