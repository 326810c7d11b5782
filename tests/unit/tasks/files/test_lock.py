"""The lock of one writer: not to be held by who may only read, and never waited for without end."""

from __future__ import annotations

import fcntl
import os
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.files import lock as filelock
from tasks.files.lock import HeldError, only_one
from tasks.records import lockfile
from tasks.records.lockfile import LockError, LockFile
from tasks.records.logfile import SharedLogFile, logger_of
from tasks.records.proven import Proven

PROVEN = {"m:1": Proven("m:1", "sha256:a", "2026")}
HOLD = """
import sys, time
from pathlib import Path
from tasks.files.lock import only_one
with only_one(Path(sys.argv[1]), "upgrade \\x1b[2Jqwen"):
    print("held", flush=True)
    time.sleep(60)
"""


@contextmanager
def held(path: Path) -> Iterator[int]:
    words = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process.pid
        process.kill()


def test_attack_12_who_locks_the_folder_of_stack_lock_keeps_nobody_out(tmp_path: Path) -> None:
    folder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    lock = LockFile(tmp_path / "stack.lock")
    begun = time.monotonic()
    lock.put("h", "s", None, PROVEN)
    assert time.monotonic() - begun < 5
    os.close(folder)


def test_attack_12_nothing_that_a_reader_can_open_is_locked(tmp_path: Path) -> None:
    LockFile(tmp_path / "stack.lock").put("h", "s", None, PROVEN)
    assert stat.S_IMODE((tmp_path / "stack.lock").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / ".stack.lock.writer").stat().st_mode) == 0o600
    (tmp_path / ".stack.lock.writer").chmod(0o644)
    with only_one(tmp_path / ".stack.lock.writer", "me"):
        assert stat.S_IMODE((tmp_path / ".stack.lock.writer").stat().st_mode) == 0o600


def test_attack_12_it_is_locked_as_nfs_can_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There an exclusive lock wants a file that is open for writing (flock(2))."""
    real = fcntl.flock

    def as_on_nfs(descriptor: int, how: int) -> None:
        flags = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE
        if flags == os.O_RDONLY or not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(9, "Bad file descriptor")
        real(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", as_on_nfs)
    lock = LockFile(tmp_path / "stack.lock")
    lock.put("h", "s", None, PROVEN)
    assert LockFile.load(lock.path).services("h") == {"s"}


def test_attack_12_a_wait_has_a_limit_and_names_who_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lockfile, "WRITER_SECONDS", 0.3)
    lock = LockFile(tmp_path / "stack.lock")
    with held(tmp_path / ".stack.lock.writer") as pid, pytest.raises(LockError) as caught:
        lock.put("h", "s", None, PROVEN)
    assert f"upgrade qwen (PID {pid} of " in str(caught.value)
    assert "remedy: wait until that ends" in str(caught.value)
    assert not lock.path.exists(), "nothing is written by who did not get it"
    lock.put("h", "s", None, PROVEN)


def test_it_ends_with_its_holder_and_is_taken_once_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with held(path) as pid, pytest.raises(HeldError, match=f"PID {pid}"), only_one(path, "me"):
        pass
    with only_one(path, "me"), pytest.raises(HeldError, match="me"), only_one(path, "other"):
        pass


def test_a_link_in_its_place_is_refused_by_name_and_nothing_written_through_it(
    tmp_path: Path,
) -> None:
    (tmp_path / "precious").write_text("keep this")
    (tmp_path / "x").symlink_to(tmp_path / "precious")
    with pytest.raises(OSError, match="it is a link"), only_one(tmp_path / "x", "me"):
        pass
    (tmp_path / "y").mkdir()
    with pytest.raises(OSError, match="y"), only_one(tmp_path / "y", "me"):
        pass
    os.mkfifo(tmp_path / "z")
    with pytest.raises(OSError, match="is no file"), only_one(tmp_path / "z", "me"):
        pass
    assert (tmp_path / "precious").read_text() == "keep this"


def test_a_holder_that_said_nothing_is_named_by_the_kernel(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.touch()
    with path.open("r+") as file, path.open("r+") as other:
        assert filelock.holder(other.fileno()) == filelock.NOBODY
        fcntl.flock(file, fcntl.LOCK_EX)
        told = filelock.holder(other.fileno())
        assert told in (filelock.NOBODY, f"PID {os.getpid()} ({_comm()})")


def _comm() -> str:
    return Path("/proc/self/comm").read_text().strip()


def test_attack_12_the_log_is_waited_for_a_moment_and_no_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.records.logfile.WAIT_SECONDS", 0.2)
    path = tmp_path / "x.log"
    logger_of(path).info("before")
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        begun = time.monotonic()
        with pytest.raises(OSError, match="holds its lock"):
            logger_of(path).info("meanwhile")
        assert time.monotonic() - begun < 5
    logger_of(path).info("after")
    assert "meanwhile" not in path.read_text() and path.read_text().endswith("after\n")
    assert isinstance(logger_of(path).handlers[0], SharedLogFile)
