"""The GPU: from the card to the containers, and whether the models fit on it."""

from __future__ import annotations

from collections.abc import Iterator

from console.checks.finding import CONVERGE, Check, failed, notable
from console.checks.looked import Looked
from tasks.container_toolkit.facts import SCRIPT
from tasks.container_toolkit.observed import Toolkit
from tasks.container_toolkit.plan import ToolkitState, toolkit_state
from tasks.containers.devices import inside
from tasks.declared.stack import Stack
from tasks.nvidia.checklist import checklist
from tasks.nvidia.look import look_at_nvidia
from tasks.nvidia.observed import Nvidia
from tasks.nvidia.troubles import NO_CARD
from tasks.nvidia.verdict import requiring, verdict
from tasks.shell.local import LocalShell
from tasks.vram.check import memory
from tasks.vram.look import rows
from tasks.vram.plan import VramPlan, card_of
from tasks.words.numbers import bytes_text

TOOLKIT = "container toolkit"


def gpu_checks(stack: Stack, nvidia: Nvidia | None = None) -> Iterator[Check]:
    """Go through the list of the GPU; that a model really runs on it only a generation shows."""
    if not stack.has_gpu_service:
        yield Check("GPU", True, "not looked at: gpu is off")
        return
    findings = checklist(nvidia or look_at_nvidia(LocalShell()), stack)
    first = findings[0].trouble
    if first is not None and not requiring(stack):
        # As declared: the GPU may be used and need not.
        cpu = "models run on the CPU"
        is_told = first is not NO_CARD
        remedy = first.remedy if is_told else ""
        yield Check("GPU", True, f"{first.cause}: {cpu}", remedy, is_notable=is_told)
        return
    for found in findings:
        if found.verdict != "not reached":
            is_well, is_notable = found.verdict != "fault", found.verdict == "warning"
            yield Check(f"GPU: {found.name}", is_well, found.finding, found.remedy, is_notable)
    left = ", ".join(found.name for found in findings if found.verdict == "not reached")
    if left:
        yield Check("GPU", True, f"not reached: {left}", is_notable=True)


def toolkit_checks(looked: Looked) -> Iterator[Check]:
    """Check what gives containers the GPU, where the GPU may be used at all (faults 9 and 10)."""
    if not (looked.stack.has_gpu_service and verdict(looked.nvidia, looked.stack).usable):
        return
    toolkit = Toolkit.from_lines(looked.plain.sh(SCRIPT, timeout=60).stdout.split("\n"))
    state = toolkit_state(
        toolkit, looked.host, looked.stack, looked.engine, is_engine_planned=False
    )
    yield from of_toolkit(state, toolkit.version)


def of_toolkit(state: ToolkitState, version: str) -> Iterator[Check]:
    """Say what a converge would do about the toolkit, or that it is well."""
    for failure in state.failures:
        yield failed(TOOLKIT, failure)
    for step in state.steps:
        yield Check(TOOLKIT, False, f"not done yet: {step}", CONVERGE)
    for note in state.notes:
        yield notable(TOOLKIT, note)
    if not state.failures and not state.steps:
        yield Check(TOOLKIT, True, f"version {version}" if version else "the engine has the card")


def device_checks(looked: Looked) -> Iterator[Check]:
    """Ask inside each container that was given the GPU whether it still has it (fault 1)."""
    stack = looked.stack
    names = [
        c.name
        for c in looked.snapshot.containers
        if c.devices and c.is_running and c.is_of(stack.container_prefix)
    ]
    lost = inside(looked.shell, names, stack.docker_socket).said
    for name in names:
        if name in lost:
            said = f"it lost the GPU; nvidia-smi says inside it: {lost[name]}"
            yield Check(f"container {name}: GPU", False, said, CONVERGE)
        else:
            yield Check(f"container {name}: GPU", True, "it reaches the GPU")


def vram_checks(looked: Looked) -> Iterator[Check]:
    """Check whether the models fit on the card: each alone, and all of them (fault 7)."""
    stack = looked.stack
    card = card_of(stack, memory(looked.nvidia.gpus)) if stack.has_gpu_service else None
    if card is None:
        return
    found = rows(
        looked.asker, stack.services, looked.snapshot, lambda s: looked.proven(s).model_digests
    )
    yield from of_vram(VramPlan(card, found))


def of_vram(plan: VramPlan) -> Iterator[Check]:
    """Judge a VRAM plan."""
    for failure in plan.refusals():
        yield failed(f"{failure.service}: GPU memory", failure)
    for row in plan.rows:
        if row.shape is None:
            finding = f"what {row.model} takes of the GPU is not known: {row.unknown}"
            yield notable(f"{row.service.name}: GPU memory", finding)
    if not plan.together:
        return
    needed = f"{bytes_text(plan.together)} of {bytes_text(plan.card.budget)}"
    if plan.together > plan.card.budget:
        finding = f"not all models fit at the same time: {needed}"
        remedy = "./main.sh plan shows which do; who is loaded last runs partly on the CPU"
        yield notable("models together", finding, remedy)
    else:
        yield Check("models together", True, f"all fit at the same time: {needed}")
