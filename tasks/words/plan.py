"""The plan of a run on one host, as one value: printed, handed on, compared with what is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tasks.words.failures import Failure
from tasks.words.steps import Action, Step

# What tells one step of a plan from another; why it is due may change until its turn comes.
Key = tuple[Action, str, str]


def key(step: Step) -> Key:
    """Return what a step does, to what, for whom."""
    return step.action, step.subject, step.service


@dataclass(frozen=True)
class Plan:
    """Every step of a run in the order in which they are taken, and why others were left out."""

    steps: tuple[Step, ...] = ()
    left_out: tuple[Failure, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left out."""
        return not self.left_out

    def lines(self) -> list[str]:
        """Return the plan as lines for people, numbered from 1."""
        lines = [f"{number:>3}. {step}" for number, step in enumerate(self.steps, 1)]
        count = len(self.left_out)
        if count:
            left_out = "1 failure above" if count == 1 else f"{count} failures above"
            return [*lines, f"  what the {left_out} names is left out of this plan"]
        return lines or ["  nothing to do: everything is as declared"]

    def foresees(self, step: Step) -> bool:
        """Tell whether a step that is due now stands in the plan."""
        return key(step) in {key(planned) for planned in self.steps}

    def not_among(self, taken: Iterable[Step]) -> list[Step]:
        """Return the steps that stand in the plan and were not due when their turn came."""
        due = {key(step) for step in taken}
        return [step for step in self.steps if key(step) not in due]
