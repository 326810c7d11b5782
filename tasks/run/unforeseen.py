"""What nobody foresaw, as a failure: of one host, one stage, one look."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import TypeVar

from tasks.run.run import Run
from tasks.words.failures import Failure
from tasks.words.printable import printable_lines

T = TypeVar("T")
DEBUG = "OLLAMA_STACK_DEBUG"
# What a look asks has limits of its own, far below this.
LOOK_SECONDS = 120


def unforeseen(what: str, error: Exception, service: str = "") -> Failure:
    """Return the failure that an exception of our own stands for; DEBUG shows where it is."""
    if os.environ.get(DEBUG):
        print(printable_lines("".join(traceback.format_exception(error))), file=sys.stderr)
    remedy = f"this is a fault of ollama-stack: {DEBUG}=1 shows where; please report it"
    return Failure(what, f"{type(error).__name__}: {error}", remedy, service)


def looked(run: Run, what: str, look: Callable[[], T], default: T) -> T:
    """Return what a look shows; where it raises, the host has failed: nothing more is known of it.

    `default` is what stands in for it then; nothing is planned from it, since the host has failed.
    """
    try:
        return look()
    except Exception as error:
        run.teller.fail(unforeseen(f"{what}: not known", error))
        return default


def look(
    run: Run,
    what: str,
    script: str,
    parse: Callable[[list[str]], T],
    default: T,
    *,
    sudo: bool | None = False,
) -> T:
    """Return what the lines tell that the script of a look printed; `default` where it failed."""

    def lines() -> T:
        result = run.shell.sh(script, timeout=LOOK_SECONDS, sudo=sudo)
        return parse(result.stdout.split("\n")) if result.ok else default

    return looked(run, what, lines, default)
