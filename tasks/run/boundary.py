"""Where what nobody foresaw ends: one host's, one stage's, one look's.

pyinfra lets an exception in the body of an operation, or in a fact that it calls, end the run on
every host with a traceback. Behind these boundaries it is a failure of the host where it came.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from pyinfra.api import FunctionCommand
from pyinfra.api.exceptions import PyinfraError

from tasks.declared.stack import Service
from tasks.run.current import current_run
from tasks.run.run import Run
from tasks.run.take import unforeseen

P = ParamSpec("P")
T = TypeVar("T")


def bounded(
    body: Callable[P, Generator[FunctionCommand, None, None]],
) -> Callable[P, Generator[FunctionCommand, None, None]]:
    """Let what the body of an operation raises be a failure of its host, or of its service."""

    @wraps(body)
    def inside(*args: P.args, **kwargs: P.kwargs) -> Generator[FunctionCommand, None, None]:
        try:
            yield from body(*args, **kwargs)
        except PyinfraError:
            raise
        except Exception as error:
            given = (*args, *kwargs.values())
            service = next((value.name for value in given if isinstance(value, Service)), "")
            what = f"{body.__name__.replace('_', ' ')}: not planned"
            current_run().fail(unforeseen(what, error, service))
            yield FunctionCommand(_failed, (), {})

    return inside


def _failed(state: Any, host: Any) -> bool:
    return False


def looked(run: Run, what: str, look: Callable[[], T], default: T) -> T:
    """Return what a look shows; where it raises, the host has failed: nothing more is known of it.

    `default` is what stands in for it then; nothing is planned from it, since the host has failed.
    """
    try:
        return look()
    except Exception as error:
        run.fail(unforeseen(f"{what}: not known", error))
        return default
