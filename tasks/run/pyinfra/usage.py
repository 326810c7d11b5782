"""How this run was called: what pyinfra allows and this project refuses, and Ctrl-C."""

from __future__ import annotations

import builtins
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import pyinfra
from pyinfra.api import DeployError

from tasks.run.session import SESSION

INTERRUPTED = 130


@cache
def parameters() -> dict[str, Any]:
    """Return the options that pyinfra was called with; none in its API mode.

    Read from the command line again: click's own context does not reach pyinfra's greenlets.
    """
    if not pyinfra.is_cli:
        return {}
    from pyinfra_cli.cli import cli  # noqa: PLC0415 (imported already where this is reached)

    return dict(cli.make_context("pyinfra", sys.argv[1:], resilient_parsing=True).params)


def usage_fault(options: dict[str, Any], *, has_terminal: bool) -> str:
    """Return what is wrong with the way the run was called; "" where nothing is."""
    if options.get("no_wait"):
        return "--no-wait is refused: with it a host that failed would end with status 0"
    if options.get("dry") and options.get("yes"):
        return "--dry and -y do not go together: pyinfra shows nothing then; leave one of them out"
    if options and not (options.get("dry") or options.get("yes") or has_terminal):
        return "there is no terminal to confirm on: add -y to go ahead, or --dry to look only"
    return ""


def check_usage() -> None:
    """Raise DeployError where the run was called in a way that would mislead."""
    fault = usage_fault(parameters(), has_terminal=sys.stdin is not None and sys.stdin.isatty())
    if fault:
        raise DeployError(fault)


def is_dry() -> bool:
    """Tell whether this run only looks."""
    return bool(parameters().get("dry"))


def is_serial() -> bool:
    """Tell whether this run takes one host after the other."""
    return bool(parameters().get("serial"))


def is_asking() -> bool:
    """Tell whether pyinfra will ask a person before anything changes."""
    options = parameters()
    return bool(options) and not options.get("dry") and not options.get("yes")


def answer_for_pyinfra(is_needless: Callable[[], bool]) -> None:
    """See to pyinfra's question: none where nothing is planned, and Ctrl-D is an answer.

    By itself it asks in any case, and Ctrl-D is a traceback.
    """
    ask = builtins.input

    def answer(prompt: object = "") -> str:
        if is_needless():
            return ""
        try:
            return ask(prompt)
        except EOFError:
            return "nothing (end of input)"

    builtins.input = answer


def end_with_130_on_interrupt() -> None:
    """See to it that Ctrl-C ends with 130; pyinfra by itself ends with 0."""
    signal.signal(signal.SIGINT, _interrupted)


def _interrupted(signum: int, frame: Any) -> None:
    # Who read it may be gone.
    with suppress(OSError, ValueError):
        sys.stderr.write(
            "\nInterrupted. What was begun stays as it is; run again to finish or undo it.\n"
        )
        sys.stderr.flush()
    SESSION.end("interrupted")
    # Greenlets swallow SystemExit; nothing of ours is left to clean up in this process.
    os._exit(INTERRUPTED)
