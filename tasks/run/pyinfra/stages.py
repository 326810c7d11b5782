"""Stages for pyinfra: what a stage does, as one operation, with what nobody foresaw kept inside.

pyinfra lets an exception in the body of an operation end the run on every host with a traceback.
Here it is a failure of the host, or of the service, where it came.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, NoReturn

from pyinfra.api import DeployError, FunctionCommand, Host, deploy, operation
from pyinfra.api.exceptions import PyinfraError
from pyinfra.context import ctx_host

from tasks.run.pyinfra.current import current_run, is_executing
from tasks.run.run import Run
from tasks.run.unforeseen import unforeseen
from tasks.run.work import Command, Work, commands_of
from tasks.words.printable import printable_lines

__all__ = ["carry_out", "perform", "refuse_all", "stage"]

stage = deploy
Body = Callable[[Run, bool], Iterable[Command]]


def perform(
    title: str, body: Body, *, what: str, service: str = "", ends_host: bool = False
) -> None:
    """Let pyinfra run the commands that a body returns, in both phases: looking and changing.

    `body` is given the run and whether things change now; `what` names it where it breaks off.
    Where a command returns False the stages behind it go on, unless it `ends_host`.
    """
    _performed(body=body, what=what, service=service, name=title, _ignore_errors=not ends_host)


def carry_out(title: str, work: Work[Any]) -> None:
    """Let pyinfra take the steps of a stage."""
    perform(title, lambda run, _: commands_of(run, work), what=work.name, service=work.service)


@operation()
def _performed(body: Body, what: str, service: str) -> Generator[FunctionCommand, None, None]:
    run = current_run()
    try:
        for command in body(run, is_executing()):
            yield _as_function(command)
    except PyinfraError:
        raise
    except Exception as error:
        run.teller.fail(unforeseen(f"{what}: not planned", error, service))
        yield _as_function(lambda: False)


def _as_function(command: Command) -> FunctionCommand:
    def execute(state: Any, host: Any) -> bool:
        return command()

    return FunctionCommand(execute, (), {})


def refuse_all(why: object) -> NoReturn:
    """End the whole run before anything is done on any host."""
    raise DeployError(printable_lines(why)) from None


def set_failed(*, is_failed: bool) -> None:
    """Let the current host count as failed, or no more, in the exit status of the whole run.

    Not pyinfra's fail_hosts(): it would end the look at the other hosts as well.
    """
    host: Host = ctx_host.get()
    if is_failed:
        host.state.failed_hosts.add(host)
    else:
        host.state.failed_hosts.discard(host)


def has_ignored_errors() -> bool:
    """Tell whether an operation on the current host failed and the run went on."""
    host: Host = ctx_host.get()
    return bool(host.state.get_results_for_host(host).ignored_error_ops)
