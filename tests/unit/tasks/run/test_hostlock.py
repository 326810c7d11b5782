"""The lock of a host, held by a real process and freed by whatever ends it."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tasks.run import hostfolder, hostlock, streams
from tests.unit.passage import let_others_pass
from tests.unit.tasks.run.locks import PREFIX, ends_with, hold, shown, wait_for, who_has_it

pytestmark = pytest.mark.usefixtures("folder")
NEEDS_ROOT = pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")


def sh(script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["sh", "-c", script], text=True, capture_output=True, check=False)


def make() -> None:
    """Let a run have been there once."""
    once = hold("a run before")
    wait_for(who_has_it(), "a run before")
    sh(hostlock.release_script(PREFIX, hostlock.TOKEN))
    ends_with(once)


def test_the_second_one_ends_and_the_first_one_is_named(folder: Path) -> None:
    first = hold("the first")
    path = who_has_it()
    wait_for(path, "the first")
    assert ends_with(hold("the second")) == hostfolder.BUSY
    assert path.read_text().startswith("the first")
    first.kill()
    ends_with(first)


def test_it_is_free_as_soon_as_nobody_reads_the_heartbeat(folder: Path) -> None:
    first = hold("the first")
    path = who_has_it()
    wait_for(path, "the first")
    assert first.stdout is not None
    first.stdout.close()
    ends_with(first)
    second = hold("the second")
    wait_for(path, "the second")
    second.kill()
    ends_with(second)


def test_a_command_that_outlives_its_run_keeps_the_next_one_out(folder: Path) -> None:
    make()
    left = subprocess.Popen(
        ["sh", "-c", hostlock.under_lock(PREFIX, "echo begun; sleep 30")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert left.stdout is not None
    assert left.stdout.readline() == "begun\n"
    assert ends_with(hold("the next")) == hostfolder.BUSY + 1
    subprocess.run(["pkill", "-g", str(left.pid)], check=True)
    ends_with(left)
    following = hold("the one after")
    wait_for(who_has_it(), "the one after")
    following.kill()
    ends_with(following)


def test_fault_32_who_is_at_work_is_shown_and_kept_from_nothing(folder: Path) -> None:
    assert shown() == ""
    assert not folder.exists(), "a look leaves no file"
    first = hold("the first")
    wait_for(who_has_it(), "the first")
    assert shown() == "the first"
    first.kill()
    ends_with(first)
    assert shown() == "", "its file stays, and nobody holds it"


def test_commands_that_a_killed_run_left_are_shown() -> None:
    make()
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


def test_attack_5_no_number_that_a_file_names_is_ever_killed(folder: Path) -> None:
    victim = subprocess.Popen(["sleep", "60"])
    first = hold("the first")
    wait_for(who_has_it(), "the first")
    for path in folder.iterdir():
        path.write_text(f"somebody\n{victim.pid}\n")
    sh(hostlock.release_script(PREFIX, hostlock.TOKEN))
    assert ends_with(first) == 0, "it is let go of at once"
    time.sleep(0.1)
    assert victim.poll() is None
    victim.kill()
    victim.wait()


def test_attack_5_nothing_is_written_through_a_link(folder: Path, tmp_path: Path) -> None:
    make()
    precious = tmp_path / "precious"
    precious.write_text("keep this")
    precious.chmod(0o600)
    for path in (hostlock.lock_path, hostlock.children_path):
        Path(path(PREFIX)).unlink()
        Path(path(PREFIX)).symlink_to(precious)
        process = hold("the first")
        assert ends_with(process) == 1
        assert process.stderr is not None
        told = hostfolder.trouble(process.stderr.read())
        assert told is not None and "is no file" in told.cause
        Path(path(PREFIX)).unlink()
    who_has_it().unlink()
    for name in ("who", "who.new"):
        (folder / f"{PREFIX}{name}").symlink_to(precious)
    first = hold("the first")
    wait_for(who_has_it(), "the first")
    first.kill()
    ends_with(first)
    assert precious.read_text() == "keep this" and stat.S_IMODE(precious.stat().st_mode) == 0o600


def test_attack_5_nobody_else_opens_what_is_locked(folder: Path) -> None:
    make()
    assert stat.S_IMODE(folder.stat().st_mode) & 0o007 == 0
    for path in folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o660, path


def with_another_mode(folder: Path) -> None:
    folder.mkdir()
    folder.chmod(0o777)


def as_a_link(folder: Path) -> None:
    folder.with_name("elsewhere").mkdir()
    folder.symlink_to(folder.with_name("elsewhere"))


@pytest.mark.parametrize("planted", [with_another_mode, as_a_link])
def test_attack_5_a_folder_that_others_made_or_write_is_refused(folder: Path, planted: Any) -> None:
    planted(folder)
    process = hold("the first")
    assert ends_with(process) == 1
    assert process.stderr is not None
    told = hostfolder.trouble(process.stderr.read())
    assert told is not None and "install -d -o root" in told.remedy
    assert list(folder.iterdir()) == []


def test_attack_5_a_command_that_was_given_up_on_is_not_carried_out_later(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostlock, "COMMAND_WAIT", 1)
    make()
    done = folder / "done"
    with Path(hostlock.children_path(PREFIX)).open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        begun = time.monotonic()
        ended = sh(hostlock.under_lock(PREFIX, f"touch {done}"))
        assert 0.9 < time.monotonic() - begun < 10
    assert ended.returncode == hostfolder.BUSY
    assert "another run has the lock: a run before" in ended.stderr
    time.sleep(0.2)
    assert not done.exists()
    assert sh(hostlock.under_lock(PREFIX, f"touch {done}")).returncode == 0 and done.exists()


def test_attack_5_a_command_of_a_run_that_lost_the_lock_is_not_carried_out(folder: Path) -> None:
    make()
    next_one = hold("the next run", mark="another's")
    wait_for(who_has_it(), "the next run")
    ended = sh(hostlock.under_lock(PREFIX, "echo carried out"))
    assert (ended.returncode, ended.stdout) == (hostfolder.BUSY, "")
    assert "the next run has begun already: the next run" in ended.stderr
    next_one.kill()
    ends_with(next_one)


def test_a_command_without_the_lock_of_a_run_is_refused_and_makes_no_file(folder: Path) -> None:
    folder.mkdir(mode=0o700)
    ended = sh(hostlock.under_lock(PREFIX, "echo carried out"))
    assert (ended.returncode, ended.stdout) == (hostfolder.BUSY, "")
    assert list(folder.iterdir()) == []


def test_a_command_keeps_its_input_and_its_status() -> None:
    make()
    words = ["sh", "-c", hostlock.under_lock(PREFIX, 'read -r x; echo "$x it\'s"; exit 3')]
    ended = subprocess.run(words, input="in\n", text=True, capture_output=True, check=False)
    assert (ended.returncode, ended.stdout) == (3, "in it's\n")


@NEEDS_ROOT
def test_attack_24_a_member_of_the_group_takes_it_after_root_did(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """fs.protected_regular and a file of root's keep nobody out; and root comes after a user."""
    monkeypatch.setattr(hostfolder, "GROUP", "nogroup")
    let_others_pass(folder)
    make()
    assert (folder.stat().st_gid, stat.S_IMODE(folder.stat().st_mode)) == (65534, 0o2770)
    member = subprocess.Popen(
        [
            *("setpriv", "--reuid=12345", "--regid=65534", "--clear-groups"),
            *("sh", "-c", hostlock.holder_script(PREFIX, "a member", 0)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for(who_has_it(), "a member")
    sh(hostlock.release_script(PREFIX, hostlock.TOKEN))
    assert ends_with(member) == 0
    make()


@NEEDS_ROOT
@pytest.mark.parametrize(
    ("made", "groups", "remedy"),
    [
        (False, "65534", "sudo install -d -o root -g nogroup -m 2770"),
        (True, "65534", "sudo chgrp -R nogroup"),
        (True, "1", "sudo usermod -aG nogroup"),
    ],
)
def test_who_cannot_have_the_folder_is_told_the_command_that_makes_it_right(
    folder: Path, monkeypatch: pytest.MonkeyPatch, made: bool, groups: str, remedy: str
) -> None:
    if made:
        folder.mkdir(mode=0o700)
    monkeypatch.setattr(hostfolder, "GROUP", "nogroup")
    let_others_pass(folder)
    words = ["setpriv", "--reuid=12345", f"--regid={groups}", "--clear-groups", "sh", "-c"]
    script = hostlock.holder_script(PREFIX, "me", 0)
    ended = subprocess.run([*words, script], text=True, capture_output=True, check=False)
    told = hostfolder.trouble(ended.stderr)
    assert told is not None and remedy in told.remedy, ended.stderr
    seen = subprocess.run(
        [*words, hostlock.look_script(PREFIX)], text=True, capture_output=True, check=True
    )
    assert hostlock.is_unseen(seen.stdout) is made and hostlock.at_work(seen.stdout) == ""


def test_attack_5_a_stream_that_the_lock_refused_ends_at_once_with_the_reason(
    folder: Path, tmp_path: Path
) -> None:
    folder.mkdir()
    (tmp_path / "body").touch()
    worker = streams._worker(PREFIX, "touch carried-out; true", "")
    words = ["setsid", "sh", "-c", worker]
    with subprocess.Popen(words, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        wait_for(tmp_path / "rc", str(hostfolder.BUSY))
        os.killpg(process.pid, signal.SIGKILL)
    assert "the lock of this host is gone" in (tmp_path / "err").read_text()
    assert not (tmp_path / "carried-out").exists()
