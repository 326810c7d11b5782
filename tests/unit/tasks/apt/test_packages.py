"""Packages on a host that is played: who holds a lock."""

from __future__ import annotations

from typing import cast

import pytest

from tasks.apt.apt import HOLDERS_SCRIPT
from tasks.apt.packages import wait_for_locks
from tasks.declared.layers import defaults_layer, merge
from tasks.declared.stack import declare
from tasks.run.run import Run
from tasks.shell.local import Result
from tasks.words.failures import StepFailed

HOLDER = "2596 /var/lib/dpkg/lock-frontend /usr/bin/python3 /usr/bin/unattended-upgrade"


class Played:
    """A host that answers scripts as told; `answers`: a part of the script → what it gives."""

    def __init__(self, **answers: Result) -> None:
        self.stack = declare(merge([defaults_layer()]))
        self.answers = {HOLDERS_SCRIPT: Result(True, "", ""), **answers}
        self.asked: list[str] = []
        self.given: dict[str, str] = {}
        self.told: list[str] = []

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        self.asked.append(script)
        self.given[script] = stdin or ""
        found = [answer for part, answer in self.answers.items() if part in script]
        return found[0] if found else Result(True, "", "")

    def log(self, message: str) -> None:
        self.told.append(message)


def run_on(played: Played) -> Run:
    return cast(Run, played)


def test_fault_23_a_lock_that_stays_held_ends_the_step_with_its_holder() -> None:
    played = Played()
    played.answers[HOLDERS_SCRIPT] = Result(True, HOLDER, "")
    with pytest.raises(StepFailed) as failed:
        wait_for_locks(run_on(played), seconds=0)
    assert failed.value.cause == (
        "PID 2596 (/usr/bin/python3 /usr/bin/unattended-upgrade) holds "
        "/var/lib/dpkg/lock-frontend, for more than 0 s"
    )
    assert "the lock was left as it is" in failed.value.remedy
    assert set(played.asked) == {HOLDERS_SCRIPT}
