"""Taking a step: shown when it begins, written down when it is done, a failure where it failed."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import Any

from pyinfra.api import FunctionCommand

from tasks.run.run import Run
from tasks.words.printable import printable_lines
from tasks.words.steps import Failure, Step, StepFailed

DEBUG = "OLLAMA_STACK_DEBUG"


def step_command(run: Run, step: Step, function: Any, *args: Any) -> FunctionCommand:
    """Wrap a step for pyinfra: shown when it begins, written down when it is done.

    A StepFailed becomes a failure of the run and of the operation; it never leaves as an exception.
    """

    def execute(state: Any, host: Any) -> bool:
        run.log(str(step))
        begun = time.monotonic()
        try:
            function(run, step, *args)
        except StepFailed as error:
            run.memory.clear()
            run.fail(Failure(f"{step.text}: failed", error.cause, error.remedy, step.service))
            return False
        except Exception as error:
            run.fail(unforeseen(f"{step.text}: failed", error, step.service))
            return False
        run.changed(step)
        elapsed = time.monotonic() - begun
        if elapsed >= 1:
            run.log(f"  done in {elapsed:.1f} s")
        return True

    return FunctionCommand(execute, (), {})


def unforeseen(what: str, error: Exception, service: str = "") -> Failure:
    """Return the failure that an exception of our own stands for; DEBUG shows where it is."""
    if os.environ.get(DEBUG):
        print(printable_lines("".join(traceback.format_exception(error))), file=sys.stderr)
    remedy = f"this is a fault of ollama-stack: {DEBUG}=1 shows where; please report it"
    return Failure(what, f"{type(error).__name__}: {error}", remedy, service)


def failed(run: Run, failure: Failure) -> FunctionCommand:
    """Return a command that notes a failure, once, and fails."""

    def execute(state: Any, host: Any) -> bool:
        if failure not in run.failures:
            run.fail(failure)
        return False

    return FunctionCommand(execute, (), {})
