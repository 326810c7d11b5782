"""Taking a step: shown when it begins, written down when it is done, a failure where it failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tasks.run.run import Run
from tasks.run.unforeseen import unforeseen
from tasks.words.failures import Failure, StepFailed
from tasks.words.steps import Step


def take(run: Run, step: Step, function: Callable[..., None], *args: Any) -> bool:
    """Take a step and tell whether it worked; nothing leaves as an exception.

    A StepFailed becomes a failure of the run. What was observed before a step is forgotten,
    whatever became of it.
    """
    run.teller.begin(step, run.decided.plan)
    begun = time.monotonic()
    try:
        function(run, step, *args)
    except StepFailed as error:
        run.teller.fail(Failure(f"{step.text}: failed", error.cause, error.remedy, step.service))
        return False
    except Exception as error:
        run.teller.fail(unforeseen(f"{step.text}: failed", error, step.service))
        return False
    finally:
        run.seen.forget()
    run.teller.changed(step)
    elapsed = time.monotonic() - begun
    if elapsed >= 1:
        run.teller.log(f"  done in {elapsed:.1f} s")
    return True
