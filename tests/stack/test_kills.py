"""Fault 29: kill -9 at every step of a replacement, of the process alone and of its whole group."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stack.installation import Installation

STEPS = (
    "stop container",
    "create and start container",
    "prove container",
    "remove container",
    "Inventory | Record",
)
RANDOM_KILLS = 6


def left_behind() -> set[str]:
    """Return the folders of streams; those of pulls that earlier tests killed go by themselves."""
    return {str(path) for path in Path("/tmp").glob("ollama-stack.*")}


@pytest.fixture
def nothing_is_left_behind() -> Iterator[None]:
    before = left_behind()
    yield
    assert left_behind() <= before


def mend(stack: Installation) -> None:
    """The next run ends in old or new, the one after it changes nothing, nothing is left behind."""
    output = stack.converge("lock_wait=60")
    assert output.status == 0, output.text
    assert set(stack.converge().operations.values()) == {"No changes"}
    assert set(stack.containers()) == {stack.name(s) for s in ("qwen", "deepseek", "mistral")}
    assert stack.rows()["qwen"]["status"] == "active"
    assert stack.digest("qwen", "tiny-qwen:v1")


def kill(process: subprocess.Popen[str], whole_group: bool) -> None:
    if whole_group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait(timeout=30)
    assert process.stdout is not None
    process.stdout.close()


@pytest.mark.usefixtures("nothing_is_left_behind")
@pytest.mark.parametrize("whole_group", [False, True], ids=["alone", "group"])
@pytest.mark.parametrize("step", STEPS)
def test_after_a_kill_at_each_step_the_next_run_is_whole(
    stack: Installation, step: str, whole_group: bool
) -> None:
    stack.write(qwen={"context": random.randrange(512, 4096)})
    process = stack.begin()
    stack.read_until(process, step)
    kill(process, whole_group)
    mend(stack)


@pytest.mark.usefixtures("nothing_is_left_behind")
@pytest.mark.parametrize("number", range(RANDOM_KILLS))
def test_after_a_kill_at_any_time_the_next_run_is_whole(stack: Installation, number: int) -> None:
    stack.write(qwen={"context": random.randrange(512, 4096)})
    process = stack.begin()
    time.sleep(random.uniform(0.5, 3.5))
    kill(process, whole_group=bool(number % 2))
    mend(stack)


def test_a_killed_pull_is_taken_up_by_the_next_run(stack: Installation) -> None:
    stack.write(qwen={"also": ["tiny-qwen:v2"]})
    process = stack.begin()
    assert process.stdout is not None
    for line in process.stdout:
        if "at the registry" in line:
            break
    kill(process, whole_group=True)
    output = stack.converge("lock_wait=60")
    assert output.status == 0, output.text
    assert stack.digest("qwen", "tiny-qwen:v2")
