"""Packages on a host that is played: who holds a lock."""

from __future__ import annotations

import pytest

from tasks.apt.apt import HOLDERS_SCRIPT
from tasks.apt.packages import wait_for_locks
from tasks.shell.local import Result
from tasks.words.failures import StepFailed
from tests.unit.tasks.runs import SaidShell, run_on

HOLDER = "2596 /var/lib/dpkg/lock-frontend /usr/bin/python3 /usr/bin/unattended-upgrade"


def test_fault_23_a_lock_that_stays_held_ends_the_step_with_its_holder() -> None:
    shell = SaidShell({HOLDERS_SCRIPT: Result(True, HOLDER, "")})
    with pytest.raises(StepFailed) as failed:
        wait_for_locks(run_on(shell), seconds=0)
    assert failed.value.cause == (
        "PID 2596 (/usr/bin/python3 /usr/bin/unattended-upgrade) holds "
        "/var/lib/dpkg/lock-frontend, for more than 0 s"
    )
    assert "the lock was left as it is" in failed.value.remedy
    assert set(shell.scripts) == {HOLDERS_SCRIPT}
