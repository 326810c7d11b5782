"""One file written as its user, by the shell of this machine in a folder of the test's."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.clients.apply import apply
from tasks.clients.look import ObservedUser
from tasks.clients.outcome import FileChange
from tasks.clients.record import Record, digest
from tasks.shell.as_user import NO_USER, UserShell, as_user
from tasks.shell.local import LocalShell
from tasks.words.failures import StepFailed

PREFIX = "ollama-"
NOW, NEW = b"yours \xff\n", b"yours \xff\nand ours\n"


@pytest.fixture
def user(tmp_path: Path) -> ObservedUser:
    home = str(tmp_path / "a 'home'")
    return ObservedUser("me", os.getuid(), home, f"{home}/.config", f"{home}/.local/state")


def change(user: ObservedUser, **changes: object) -> FileChange:
    path = f"{user.config}/kilo/kilo.jsonc"
    made = FileChange(
        name="kilo",
        client="kilo",
        path=path,
        shown="~/.config/kilo/kilo.jsonc",
        before="",
        after=NEW,
        mode=0o600,
        record=Record(path, "kilo", digest(NEW)),
        why="new",
        folders=(f"{user.config}/kilo", user.config),
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def records(user: ObservedUser) -> Path:
    return Path(user.state) / "ollama-stack" / PREFIX


def mode(path: Path | str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def test_a_new_file_and_its_record_are_the_users_alone(user: ObservedUser) -> None:
    one = change(user)
    apply(LocalShell(), user, PREFIX, one)
    record = records(user) / "kilo.record"
    assert (Path(one.path).read_bytes(), mode(one.path)) == (NEW, 0o600)
    assert Record.of(record.read_bytes()) == one.record
    assert (mode(record), mode(record.parent)) == (0o600, 0o700)
    assert os.listdir(Path(one.path).parent) == ["kilo.jsonc"], "nothing is left over"


def test_a_file_that_is_there_keeps_its_mode_and_has_a_copy(user: ObservedUser) -> None:
    one = change(user, before=digest(NOW), mode=0o644, backs_up=True)
    Path(one.path).parent.mkdir(parents=True)
    Path(one.path).write_bytes(NOW)
    apply(LocalShell(), user, PREFIX, one)
    backup = records(user) / "kilo.backup"
    assert (Path(one.path).read_bytes(), mode(one.path)) == (NEW, 0o644)
    assert (backup.read_bytes(), mode(backup) & 0o077) == (NOW, 0)


def test_what_somebody_wrote_meanwhile_is_not_overwritten(user: ObservedUser) -> None:
    one = change(user)
    Path(one.path).parent.mkdir(parents=True)
    Path(one.path).write_bytes(NOW)
    with pytest.raises(StepFailed) as caught:
        apply(LocalShell(), user, PREFIX, one)
    assert "changed meanwhile" in caught.value.cause
    assert Path(one.path).read_bytes() == NOW
    assert not records(user).exists()


def test_a_file_of_ours_goes_with_its_folders_and_its_record(user: ObservedUser) -> None:
    one = change(user)
    apply(LocalShell(), user, PREFIX, one)
    gone = replace(one, before=digest(NEW), after=None, record=None)
    apply(LocalShell(), user, PREFIX, gone)
    assert not Path(user.config).exists() and not records(user).exists()


def test_what_is_put_back_is_there_and_its_folder_stays(user: ObservedUser) -> None:
    one = change(user)
    apply(LocalShell(), user, PREFIX, one)
    back = replace(one, before=digest(NEW), after=b"", record=None)
    apply(LocalShell(), user, PREFIX, back)
    assert Path(one.path).read_bytes() == b""


def test_a_folder_that_is_a_file_is_told(user: ObservedUser) -> None:
    Path(user.home).mkdir()
    Path(user.config).write_text("in the way")
    with pytest.raises(StepFailed) as caught:
        apply(LocalShell(), user, PREFIX, change(user))
    assert "could not be written" in caught.value.cause
    assert Path(user.config).read_text() == "in the way"


def test_another_user_is_acted_for_in_that_users_own_home() -> None:
    assert as_user("id", "") == "id"
    told = UserShell(LocalShell(), "no-such-user-here").sh("echo never")
    assert (told.ok, told.stdout) == (False, "")
    assert f"exit {NO_USER}" in as_user("id", "eve")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_another_users_home_and_name_are_that_users() -> None:
    told = UserShell(LocalShell(), "nobody").sh('echo "$(id -un) $HOME ${XDG_CONFIG_HOME-none}"')
    home = os.path.expanduser("~nobody")
    assert told.stdout in ("", f"nobody {home} none"), "a home that is not there is no home"


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to become another user")
def test_attack_23_another_users_process_inherits_nothing_of_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    for above in home.parents[:3]:
        above.chmod(0o755)
    asks = tmp_path / "getent"
    asks.write_text(f"#!/bin/sh\necho nobody:x:65534:65534::{home}:/bin/sh\n")
    asks.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("HF_TOKEN", "secret-of-root")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    script = 'env; echo "before=$(tr "\\0" " " </proc/$PPID/environ 2>/dev/null)"'
    told = UserShell(LocalShell(), "nobody").sh(script)
    assert told.ok, told
    assert "secret-of-root" not in told.stdout and str(tmp_path) + ":" not in told.stdout
    names = {line.partition("=")[0] for line in told.stdout.splitlines()}
    shells_own = {"PWD", "OLDPWD", "SHLVL", "_", "before"}
    assert names - shells_own <= {"HOME", "USER", "LOGNAME", "PATH", "LANG", "LC_ALL"}
    asked = os.path.expanduser("~nobody")
    assert {f"HOME={asked}", "USER=nobody", "LOGNAME=nobody"} <= {*told.stdout.splitlines()}
