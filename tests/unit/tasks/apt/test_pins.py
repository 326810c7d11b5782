"""Versions that are declared, among those that apt offers."""

from __future__ import annotations

import pytest

from tasks.apt.pins import chosen, is_pinned, offered, other_version_note, shown

# In the shape of apt-cache madison on Ubuntu 24.04; the versions are invented.
MADISON = """\
 docker-ce | 5:29.1.0-1~ubuntu.24.04~noble | https://download.docker.com/linux/ubuntu noble/stable
 docker-ce | 5:29.0.1-1~ubuntu.24.04~noble | https://download.docker.com/linux/ubuntu noble/stable
 docker-ce | 5:29.0.0-1~ubuntu.24.04~noble | https://download.docker.com/linux/ubuntu noble/stable
 docker-ce | 5:2.9.0-1 | elsewhere
"""
VERSIONS = offered(MADISON.splitlines())


@pytest.mark.parametrize(
    ("pin", "version"),
    [
        ("29", "5:29.1.0-1~ubuntu.24.04~noble"),
        ("29.0", "5:29.0.1-1~ubuntu.24.04~noble"),
        ("29.0.0", "5:29.0.0-1~ubuntu.24.04~noble"),
        ("2.9", "5:2.9.0-1"),
        ("28", ""),
        ("29.0.10", ""),
    ],
)
def test_the_newest_version_that_a_pin_means_is_chosen(pin: str, version: str) -> None:
    assert chosen(VERSIONS, pin) == version


def test_a_pin_counts_numbers_and_no_letters() -> None:
    assert is_pinned("20.10.24+dfsg1-1+deb12u1", "20.10.24")
    assert not is_pinned("20.10.24+dfsg1-1+deb12u1", "20.1")


def test_what_apt_has_is_shown_without_the_packagers_part() -> None:
    assert shown(VERSIONS) == "29.1.0, 29.0.1, 29.0.0, 2.9.0"
    assert shown([]) == "none"


def test_another_version_that_is_installed_is_told_and_left() -> None:
    (note,) = other_version_note("Docker Engine", "docker_version", "5:28.5.1-1~x", "29.0")
    assert "28.5.1" in note and "docker_version is 29.0" in note
    assert not other_version_note("Docker Engine", "docker_version", "5:29.0.1-1", "29.0")
    assert not other_version_note("Docker Engine", "docker_version", "5:28.5.1-1", "")
