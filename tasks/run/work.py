"""The executor: the steps of a stage, each carried out by the one function of its action.

It decides nothing. A step carries what it needs, and the table of its room says who takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from tasks.run.run import Run
from tasks.run.take import take
from tasks.words.failures import Failure
from tasks.words.steps import Action, Step

C = TypeVar("C")
Take = Callable[[Run, Step, C], None]
# One thing that is done now; False where it failed.
Command = Callable[[], bool]


@dataclass(frozen=True)
class Work(Generic[C]):
    """What a stage does on one host.

    `plan` returns the steps as they are due now, and failures that stand in the way of others.
    `begin` returns what the takes of a step share with those of others, by step. `name` and
    `service` are for messages.
    """

    name: str
    plan: Callable[[Run], Iterable[Step | Failure]]
    takes: Mapping[Action, Take[C]]
    begin: Callable[[Run], Callable[[Step], C]]
    service: str = ""


def commands_of(run: Run, work: Work[Any]) -> Iterator[Command]:
    """Return the steps of a stage as commands, planned now."""
    shared = work.begin(run)
    for step in work.plan(run):
        if isinstance(step, Failure):
            yield partial(_fail, run, step)
        else:
            yield partial(take, run, step, work.takes[step.action], shared(step))


def nothing_shared(run: Run) -> Callable[[Step], None]:
    """Let the steps of a stage share nothing."""
    return lambda step: None


def _fail(run: Run, failure: Failure) -> bool:
    if failure not in run.teller.failures:
        run.teller.fail(failure)
    return False
