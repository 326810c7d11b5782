"""apt-get's words in ours. Messages marked (r) were recorded on Debian 12, the others are invented
after apt's sources."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.apt.apt import LockHolder, apt_get, explain, lock_holders, without_password


@pytest.mark.parametrize(
    ("output", "cause", "remedy"),
    [
        (
            "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 8 (apt-get)",
            "PID 8 (apt-get) holds /var/lib/dpkg/lock-frontend",
            "the lock was left as it is",
        ),
        (
            "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'",
            "interrupted",
            "sudo dpkg --configure -a",
        ),
        ("E: You don't have enough free space in /var/cache/apt/archives/.", "full", "make room"),
        ("E: Unable to locate package docker-ce", "do not have it", "sources.list.d"),
        ("E: Package 'docker-ce' has no installation candidate", "do not have it", ""),
        ("E: Packages need to be removed but remove is disabled.", "remove packages", "by hand"),
        (
            "The following packages will be REMOVED:\n  containerd runc\n"
            "The following NEW packages will be installed:\n  containerd.io docker-ce\n"
            "E: Packages need to be removed but remove is disabled.",
            "remove packages that are there: containerd runc",
            "by hand",
        ),
        ("E: The repository 'http://x y Release' is not signed.", "not signed", "ask"),
        (
            "Err:2 http://x y Release\n  404  File not found [IP: 172.17.0.1 39387]\n"
            "E: The repository 'http://x y Release' does not have a Release file.",
            "has nothing for this release",
            "name one that has",
        ),
        ("E: Failed to fetch http://x/y.deb  503  Busy", "cannot be read", "run again"),
        ("E: Failed to fetch http://x/y.deb  404  Not Found [IP: 1 2]", "lacks what it lists", ""),
        ("Err:1 http://x\n  Could not resolve 'x'\nE: Failed to fetch http://x", "reached", ""),
        ("", "it said nothing", "sudo apt-get update"),
    ],
)
def test_explained(output: str, cause: str, remedy: str) -> None:
    failure = explain(output)
    assert cause in failure.cause and remedy in failure.remedy


def test_passwords_are_not_repeated() -> None:
    cause = explain("E: Failed to fetch http://ada:geheim@mirror.lan/debian/x.deb  403").cause
    assert "geheim" not in cause and "mirror.lan" in cause
    assert without_password("https://a:b@c/d e://f") == "https://…@c/d e://f"


def test_lock_holders() -> None:
    path = "/var/lib/dpkg/lock-frontend"
    lines = [f"2596 {path} python3 /root/unattended-upgr.py ", f"2596 {path} again", "x y z", ""]
    assert lock_holders(lines) == (LockHolder(2596, path, "python3 /root/unattended-upgr.py"),)
    assert str(lock_holders(lines)[0]).startswith("PID 2596 (python3")


@given(st.lists(st.text()))
def test_any_line_is_survived(lines: list[str]) -> None:
    lock_holders(lines)
    explain("\n".join(lines))


def test_commands_ask_nothing_and_wait_for_locks() -> None:
    words = shlex.split(apt_get("install", "docker.io", options=("--no-remove",)))
    assert words[0] == "apt-get" and words[-2:] == ["install", "docker.io"]
    assert "-y" in words and "DPkg::Lock::Timeout=120" in words and "--no-remove" in words
