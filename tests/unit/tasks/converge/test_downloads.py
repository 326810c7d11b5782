"""Room on the disk for what is to be pulled (fault 13). Sizes are bytes."""

from __future__ import annotations

import pytest

from tasks.converge.downloads import GB, disk_failure, proxy_notes
from tests.unit.tasks.samples import stack


@pytest.mark.parametrize(
    ("needed", "free", "fits"),
    [(5 * GB, 20 * GB, True), (5 * GB, 9 * GB, False), (0, 0, True), (5 * GB, None, True)],
)
def test_needed_and_reserve_have_to_fit(needed: float, free: int | None, fits: bool) -> None:
    assert (disk_failure(needed, free, 5, "/var/lib/docker") is None) is fits


def test_needed_and_free_are_shown() -> None:
    failure = disk_failure(5 * GB, 9 * GB, 5, "/var/lib/docker")
    assert failure is not None
    assert failure.cause == (
        "5.0 GB are needed and 5.0 GB are to stay free, 9.0 GB are free at /var/lib/docker"
    )


def test_fault_18_a_proxy_of_the_host_alone_is_named() -> None:
    (note,) = proxy_notes(("https_proxy",), stack())
    assert "set https_proxy in stack.toml" in note
    assert not list(proxy_notes((), stack()))
    assert not list(proxy_notes(("https_proxy",), stack(https_proxy="http://p:3128")))
