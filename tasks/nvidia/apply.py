"""How the driver is installed, where that was planned; and never a reboot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tasks.apt.apt import explain
from tasks.apt.packages import install_known, simulate, update_lists
from tasks.nvidia import messages
from tasks.nvidia.packages import AptPackages, is_of_a_driver, removals
from tasks.nvidia.state import plan_driver
from tasks.run.run import Run
from tasks.run.work import Take, Work, nothing_shared
from tasks.words.failures import StepFailed
from tasks.words.steps import Action, Step


def install_driver(run: Run, step: Step, nothing: None) -> None:
    """Install the packages of the plan, made anew after the lists were read. Raises StepFailed."""
    update = update_lists(run)
    run.seen.forget(AptPackages)
    state = plan_driver(run)
    if state.failure is not None:
        raise StepFailed.of(state.failure)
    gone = _removed(run, state.packages, "" if update.ok else update.stderr)
    install_known(run, state.packages, update, may_remove=bool(gone))
    run.teller.note(
        "The NVIDIA driver is installed, and works after a reboot: sudo reboot, then run again; "
        "nothing here reboots."
    )


def _removed(run: Run, packages: tuple[str, ...], said: str) -> tuple[str, ...]:
    """Return what goes: parts of the driver that is replaced, and nothing else. Raises StepFailed.

    On Ubuntu two branches contradict each other, so apt removes the one to install the other.
    `said` is why the lists could not be read, which explains a package that is not found.
    """
    simulated = simulate(run, packages)
    if not simulated.ok:
        raise StepFailed.of(explain(f"{said}\n{simulated.stderr}\n{simulated.stdout}"))
    gone = removals(simulated.stdout)
    strange = [name for name in gone if not is_of_a_driver(name)]
    if strange:
        raise StepFailed(
            messages.REMOVES_OTHERS(packages=", ".join(strange)),
            messages.SIMULATE(packages=" ".join(packages)),
        )
    if gone:
        run.teller.log(f"  the driver before it goes: {', '.join(gone)}")
    return gone


TAKES: Mapping[Action, Take[None]] = {Action.INSTALL_DRIVER: install_driver}


def _planned(run: Run) -> Iterable[Step]:
    step = plan_driver(run).step
    return () if step is None else (step,)


WORK = Work("driver", _planned, TAKES, nothing_shared)
