"""Programs of the lab: recorded by themselves, and never mistaken for others."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import processes
from lab.errors import LabError
from lab.processes import Program

SLEEP = "import sys, time; print('ready', flush=True); time.sleep(60)"


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    mark = str(tmp_path / "its.conf")
    made = Program("sleeper", (sys.executable, "-c", SLEEP, mark), mark)
    yield made
    processes.stop(made, seconds=5)


def test_a_program_is_recorded_runs_and_ends(program: Program) -> None:
    assert processes.pid_of(program) is None
    processes.start(program)
    processes.wait_until(lambda: "ready" in program.log.read_text(), program, 20)
    pid = processes.pid_of(program)
    assert pid is not None
    assert program.mark in processes.command_line(pid)
    assert processes.stop(program)
    assert processes.pid_of(program) is None
    assert not program.pid_file.exists()
    assert not processes.stop(program)


def test_a_foreign_process_under_a_recorded_pid_is_left_alone(program: Program) -> None:
    other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        program.pid_file.parent.mkdir(parents=True)
        program.pid_file.write_text(str(other.pid))
        assert processes.pid_of(program) is None
        assert not processes.stop(program)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_program_that_ends_at_once_is_reported_with_its_words(tmp_path: Path) -> None:
    program = Program("failing", ("sh", "-c", "echo no such port; exit 3"), str(tmp_path / "x"))
    processes.start(program)
    begin = time.monotonic()
    with pytest.raises(LabError, match="no such port"):
        processes.wait_until(lambda: False, program, 30)
    assert time.monotonic() - begin < 20


def test_children_that_a_killed_program_left_are_ended(tmp_path: Path) -> None:
    mark = str(tmp_path / "its.conf")
    fork = "import os, time; print(os.fork(), flush=True); time.sleep(60)"
    program = Program("forking", (sys.executable, "-c", fork, mark), mark)
    processes.start(program)
    processes.wait_until(lambda: program.log.read_text().count("\n") == 2, program, 20)
    child = max(int(word) for word in program.log.read_text().split())
    parent = processes.pid_of(program)
    assert parent is not None
    os.kill(parent, signal.SIGKILL)  # not waited for: it stays a zombie
    assert processes.command_line(child)
    processes.stop(program)
    limit = time.monotonic() + 5
    while processes.command_line(child) and time.monotonic() < limit:
        time.sleep(0.05)
    assert not processes.command_line(child)
