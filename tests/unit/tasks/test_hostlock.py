"""The lock of a host, held by a real process and freed by whatever ends it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks import hostlock

PREFIX = "unit-test-"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(hostlock, "FOLDER", str(tmp_path))
    monkeypatch.setattr(hostlock, "GRACE", 0)
    monkeypatch.setattr(hostlock, "CHILDREN_WAIT", 0)
    yield tmp_path


def hold(who: str) -> subprocess.Popen[str]:
    script = hostlock.holder_script(PREFIX, who, 0)
    return subprocess.Popen(["sh", "-c", script], stdout=subprocess.PIPE, text=True)


def wait_for(path: Path, who: str) -> None:
    for _ in range(500):
        if path.exists() and path.read_text().startswith(who):
            return
        time.sleep(0.01)
    raise AssertionError(f"{who} never got the lock")


def ends_with(process: subprocess.Popen[str]) -> int:
    return process.wait(timeout=20)


def test_the_second_one_ends_and_the_first_one_is_named(folder: Path) -> None:
    first = hold("the first")
    path = Path(hostlock.lock_path(PREFIX))
    wait_for(path, "the first")
    assert ends_with(hold("the second")) == hostlock.BUSY
    assert path.read_text().startswith("the first")
    first.kill()
    ends_with(first)


def test_it_is_free_as_soon_as_nobody_reads_the_heartbeat(folder: Path) -> None:
    first = hold("the first")
    path = Path(hostlock.lock_path(PREFIX))
    wait_for(path, "the first")
    assert first.stdout is not None
    first.stdout.close()
    ends_with(first)
    second = hold("the second")
    wait_for(path, "the second")
    second.kill()
    ends_with(second)


def test_a_command_that_outlives_its_run_keeps_the_next_one_out(folder: Path) -> None:
    left = subprocess.Popen(
        ["sh", "-c", hostlock.under_lock(PREFIX, "echo begun; sleep 30")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert left.stdout is not None
    assert left.stdout.readline() == "begun\n"
    assert ends_with(hold("the next")) == hostlock.BUSY + 1
    subprocess.run(["pkill", "-g", str(left.pid)], check=True)
    ends_with(left)
    following = hold("the one after")
    wait_for(Path(hostlock.lock_path(PREFIX)), "the one after")
    following.kill()
    ends_with(following)


def shown() -> str:
    script = hostlock.look_script(PREFIX)
    done = subprocess.run(["sh", "-c", script], text=True, capture_output=True, check=True)
    return hostlock.at_work(done.stdout)


def test_fault_32_who_is_at_work_is_shown_and_kept_from_nothing(folder: Path) -> None:
    assert shown() == ""
    assert list(folder.iterdir()) == [], "a look leaves no file"
    first = hold("the first")
    wait_for(Path(hostlock.lock_path(PREFIX)), "the first")
    assert shown() == "the first"
    first.kill()
    ends_with(first)
    assert shown() == "", "its file stays, and nobody holds it"


def test_commands_that_a_killed_run_left_are_shown() -> None:
    left = subprocess.Popen(
        ["sh", "-c", hostlock.under_lock(PREFIX, "echo begun; exec sleep 30")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert left.stdout is not None
    assert left.stdout.readline() == "begun\n"
    told = shown()
    subprocess.run(["pkill", "-g", str(left.pid)], check=True)
    ends_with(left)
    assert "commands that a run left" in told
