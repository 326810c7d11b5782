"""What nobody foresaw ends at its host, its service or its look (attack 9)."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

import pytest
from pyinfra.api import FunctionCommand, Host

from tasks.declared.stack import Service
from tasks.run.pyinfra import boundary
from tasks.run.pyinfra.boundary import bounded, looked
from tasks.run.run import Run
from tests.unit.tasks.run.test_run import Spoken
from tests.unit.tasks.samples import stack

STACK = stack()


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    made = Run(host=cast(Host, Spoken()), stack=STACK)
    monkeypatch.setattr(boundary, "current_run", lambda: made)
    return made


@bounded
def breaks(service: Service, *, at: int) -> Generator[FunctionCommand, None, None]:
    for number in range(3):
        if number == at:
            raise RecursionError("too deep")
        yield FunctionCommand(print, (), {})


def test_attack_9_an_exception_in_a_body_is_a_failure_of_its_service(run: Run) -> None:
    commands: list[Any] = list(breaks(STACK.services[1], at=2))
    assert len(commands) == 3
    assert commands[-1].function(None, None) is False
    (failure,) = run.failures
    assert (failure.service, failure.cause) == ("deepseek", "RecursionError: too deep")
    assert failure.remedy


def test_a_body_that_works_is_left_alone(run: Run) -> None:
    assert len(list(breaks(STACK.services[1], at=9))) == 3
    assert run.failures == []


def test_attack_9_a_look_that_raises_fails_its_host_alone(run: Run) -> None:
    def odd() -> int:
        raise KeyError("Id")

    assert looked(run, "the host", odd, 7) == 7
    assert [failure.service for failure in run.failures] == [""]
    assert run.has_failed("qwen")
    assert looked(run, "the host", lambda: 5, 7) == 5


def test_bytes_that_are_no_text_are_a_failed_command_and_no_exception() -> None:
    class Odd(Spoken):
        def run_shell_command(self, *_: Any, **__: Any) -> Any:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    found = Run(host=cast(Host, Odd()), stack=STACK).sh("x")
    assert (found.ok, found.stderr) == (False, "the host's answer is no UTF-8 text")
