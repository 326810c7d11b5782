"""As whom a run goes on, and what it says where it cannot. Sudo's words were recorded (1.9.13)."""

import pytest

from tasks.host.access import access
from tasks.host.observed import ObservedHost

ASKS = "sudo: a password is required"
USER = ObservedHost(uid=1000, user="ada", sudo="/usr/bin/sudo", sudo_status=1, sudo_said=ASKS)


def with_(**values: object) -> ObservedHost:
    return ObservedHost(**{**USER.__dict__, **values})


@pytest.mark.parametrize(
    ("host", "kind"),
    [
        (ObservedHost(uid=0, user="root"), "root"),
        (with_(sudo_status=0), "sudo"),
        (with_(sudo_status=0, answers_user=True), "sudo"),
        (with_(answers_user=True), "docker"),
        (with_(sudo="", sudo_status=None, answers_user=True), "docker"),
        (USER, "none"),
        (ObservedHost(), "none"),
    ],
)
def test_kind(host: ObservedHost, kind: str) -> None:
    decided = access(host)
    assert decided.kind == kind
    assert (decided.failure is not None) == (kind == "none")
    assert bool(decided.note) == (kind == "docker")


def remedy(host: ObservedHost) -> tuple[str, str]:
    failure = access(host).failure
    assert failure is not None
    return failure.cause, failure.remedy


def test_no_sudo_binary() -> None:
    cause, way = remedy(with_(sudo="", sudo_status=None, sudo_said=""))
    assert cause == "there is no sudo on this host"
    assert "apt-get install sudo && usermod -aG sudo ada" in way


def test_sudo_wants_a_password() -> None:
    cause, way = remedy(with_(groups=("ada", "sudo")))
    assert cause.startswith("sudo wants the password of ada")
    assert "sudo -v" in way and "/etc/sudoers.d/ada" in way


def test_not_in_the_sudoers() -> None:
    for host in (USER, with_(sudo_said="ada is not in the sudoers file.", groups=("sudo",))):
        cause, way = remedy(host)
        assert "sudo" in cause and "usermod -aG sudo ada" in way


def test_a_new_member_of_the_docker_group_is_told_to_log_in_again() -> None:
    _, way = remedy(with_(docker="/usr/bin/docker", docker_group=("ada",)))
    assert "log out and in again (id -nG shows it)" in way
    _, way = remedy(with_(docker="/usr/bin/docker"))
    assert "usermod -aG docker ada" in way
