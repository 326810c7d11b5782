"""What the doctor says of a host and its user, on invented hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from console.checks.host import access_checks, ca_checks, disk_check
from tasks.host.observed import ObservedHost
from tests.unit.tasks.samples import stack

ASKS = "sudo: a password is required"
USER = ObservedHost(uid=1000, user="ada", sudo="/usr/bin/sudo", sudo_status=1, sudo_said=ASKS)


def with_(**values: object) -> ObservedHost:
    return ObservedHost(**{**USER.__dict__, **values})


@pytest.mark.parametrize(
    ("host", "is_well", "is_notable", "part"),
    [
        (ObservedHost(uid=0, user="root"), True, False, "root is root"),
        (with_(sudo_status=0), True, False, "may use sudo"),
        (with_(answers_user=True), True, True, "may use Docker and not sudo"),
        (USER, False, False, "sudo"),
    ],
)
def test_fault_36_as_whom_a_run_would_go_on(
    host: ObservedHost, is_well: bool, is_notable: bool, part: str
) -> None:
    (found,) = access_checks(host)
    assert (found.is_well, found.is_notable) == (is_well, is_notable)
    assert part in found.finding
    assert bool(found.remedy) is (not is_well or is_notable)


def test_who_joined_the_group_docker_after_the_login_is_told_to_log_in_again() -> None:
    late = with_(sudo_status=0, docker_group=("ada",))
    assert [c.what for c in access_checks(late)] == ["user", "group docker"]
    assert [c.what for c in access_checks(with_(sudo_status=0, groups=("docker",)))] == ["user"]


@pytest.mark.parametrize(("free", "is_well"), [(6e9, True), (5e9, True), (4.9e9, False)])
def test_fault_13_the_reserve_counts(free: float, is_well: bool) -> None:
    found = disk_check(with_(disk_free=int(free), data_root="/data"), stack())
    assert found.is_well is is_well
    assert "/data" in found.finding and "5.0 GB are to stay free" in found.finding


def test_a_disk_that_nobody_can_look_at_is_notable() -> None:
    assert disk_check(USER, stack()).is_notable


def test_fault_18_a_private_certificate_of_the_host_alone_is_named(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    assert list(ca_checks(stack(), [])) == []
    (found,) = ca_checks(stack(), ["/usr/local/share/ca-certificates/corp.crt"])
    assert found.is_notable and "corp.crt" in found.finding
    declared = stack(ca_certificate=str(pem))
    (missing,) = ca_checks(declared, ["/x/corp.crt"])
    assert not missing.is_well and str(pem) in missing.finding
    pem.write_text("x")
    assert list(ca_checks(declared, ["/x/corp.crt"])) == []
