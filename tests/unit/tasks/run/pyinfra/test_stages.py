"""What the body of an operation does that nobody foresaw is a failure, and no end (attack 9)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pyinfra.api import DeployError
from pyinfra.api.exceptions import PyinfraError

from tasks.run.pyinfra import stages
from tasks.run.pyinfra.stages import Body, refuse_all, set_failed
from tasks.run.run import Run
from tasks.run.work import Command
from tests.unit.foreign import WORST, assert_only_shown
from tests.unit.tasks.runs import run_on


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    made = run_on()
    monkeypatch.setattr(stages, "current_run", lambda: made)
    monkeypatch.setattr(stages, "is_executing", lambda: True)
    return made


def performed(body: Body, service: str = "deepseek") -> list[bool]:
    """Return what the commands gave that pyinfra would have been handed."""
    operation = cast(Any, stages._performed)._inner
    commands = operation(body, "container", service)
    return [command.function(None, None) for command in commands]


def breaking(error: Exception) -> Body:
    """Return a body that hands out two commands, and breaks off then."""

    def body(run: Run, is_executing: bool) -> Iterator[Command]:
        yield lambda: True
        yield lambda: is_executing
        raise error

    return body


def test_attack_9_an_exception_in_a_body_is_a_failure_of_its_service(run: Run) -> None:
    assert performed(breaking(RecursionError("too deep"))) == [True, True, False]
    (failure,) = run.teller.failures
    assert (failure.service, failure.what) == ("deepseek", "container: not planned")
    assert failure.cause == "RecursionError: too deep" and failure.remedy


def test_a_body_that_works_is_left_alone(run: Run) -> None:
    assert performed(lambda run, _: [lambda: True, lambda: False]) == [True, False]
    assert run.teller.failures == []


def test_what_pyinfra_raises_itself_is_pyinfras(run: Run) -> None:
    with pytest.raises(PyinfraError):
        performed(breaking(PyinfraError("the connection is gone")))
    assert run.teller.failures == []


def test_a_run_that_is_refused_as_a_whole_says_why_and_only_shows() -> None:
    with pytest.raises(DeployError) as refused:
        refuse_all(f"no such setting\n{WORST}")
    assert str(refused.value).startswith("no such setting\n")
    for line in str(refused.value).splitlines():
        assert_only_shown(line)


def test_a_host_counts_as_failed_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    failed: set[Any] = set()

    class Current:
        state = SimpleNamespace(failed_hosts=failed)

    host = Current()
    monkeypatch.setattr(stages, "ctx_host", SimpleNamespace(get=lambda: host))
    set_failed(is_failed=True)
    assert failed == {host}
    set_failed(is_failed=False)
    assert failed == set()
