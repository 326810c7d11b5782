"""The commands, where there is no lab."""

from __future__ import annotations

import json
import subprocess
import sys


def lab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lab", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_status_says_that_there_is_none() -> None:
    assert "There is no lab here" in lab("status").stdout
    assert json.loads(lab("status", "--json").stdout)["is_up"] is False


def test_down_without_a_lab_is_no_fault() -> None:
    done = lab("down")
    assert (done.returncode, done.stdout) == (0, "There is no lab here.\n")


def test_a_failure_is_a_cause_and_a_remedy_without_traceback() -> None:
    done = lab("fault", "models-404")
    assert done.returncode == 1
    assert done.stderr == ("lab: there is no lab here\n  remedy: run `python -m lab up` first\n")


def test_wrong_use_ends_with_2() -> None:
    assert lab("fault", "nonsense").returncode == 2
    assert lab("nonsense").returncode == 2
