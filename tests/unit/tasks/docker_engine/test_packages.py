"""Packages on a host that is played: who holds a lock, and which repositories are refused."""

from __future__ import annotations

from typing import cast

import pytest

from tasks.docker_engine.apt import HOLDERS_SCRIPT
from tasks.docker_engine.packages import RepositoryFailed, use_repository, wait_for_locks
from tasks.docker_engine.sources import Repository
from tasks.layers import defaults_layer, merge
from tasks.run import Run
from tasks.shell import Result
from tasks.stack import declare
from tasks.steps import StepFailed
from tests.unit.tasks.docker_engine.test_openpgp import DEBIAN_12, FINGERPRINT

HOLDER = "2596 /var/lib/dpkg/lock-frontend /usr/bin/python3 /usr/bin/unattended-upgrade"
REPOSITORY = Repository(
    name="docker",
    url="http://mirror.lan/docker",
    suite="noble",
    components="stable",
    key_url="http://mirror.lan/docker/gpg",
    fingerprint=FINGERPRINT,
    key_setting="docker_apt_key",
)


class Played:
    """A host that answers scripts as told; `answers`: a part of the script → what it gives."""

    def __init__(self, **answers: Result) -> None:
        self.stack = declare(merge([defaults_layer()]))
        self.answers = {HOLDERS_SCRIPT: Result(True, "", ""), **answers}
        self.asked: list[str] = []
        self.told: list[str] = []

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        self.asked.append(script)
        found = [answer for part, answer in self.answers.items() if part in script]
        return found[0] if found else Result(True, "", "")

    def log(self, message: str) -> None:
        self.told.append(message)


def run_on(played: Played) -> Run:
    return cast(Run, played)


def test_fault_23_a_lock_that_stays_held_ends_the_step_with_its_holder() -> None:
    played = Played()
    played.answers[HOLDERS_SCRIPT] = Result(True, HOLDER, "")
    with pytest.raises(StepFailed) as failed:
        wait_for_locks(run_on(played), seconds=0)
    assert failed.value.cause == (
        "PID 2596 (/usr/bin/python3 /usr/bin/unattended-upgrade) holds "
        "/var/lib/dpkg/lock-frontend, for more than 0 s"
    )
    assert "the lock was left as it is" in failed.value.remedy
    assert set(played.asked) == {HOLDERS_SCRIPT}


def test_fault_22_a_key_of_another_is_refused_before_apt_hears_of_the_repository() -> None:
    other = "0" * 40
    played = Played(curl=Result(True, DEBIAN_12, ""))
    refused = Repository(**{**REPOSITORY.__dict__, "fingerprint": other})
    with pytest.raises(RepositoryFailed) as failed:
        use_repository(run_on(played), refused, ("docker-ce",))
    assert FINGERPRINT in str(failed.value) and other in str(failed.value)
    assert "docker_apt_key" in failed.value.remedy
    assert not any("apt-get" in script for script in played.asked)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Result(False, "", "curl: (6) Could not resolve host"), "cannot be fetched (curl: (6)"),
        (Result(True, "<html>log in first</html>", ""), "is no key: no public key in it"),
    ],
)
def test_fault_22_without_a_key_nothing_is_tried(answer: Result, cause: str) -> None:
    played = Played(curl=answer)
    with pytest.raises(RepositoryFailed, match="key") as failed:
        use_repository(run_on(played), REPOSITORY, ("docker-ce",))
    assert cause in str(failed.value)
    assert not any("apt-get" in script for script in played.asked)


def test_fault_22_a_suite_that_is_missing_is_told_in_other_words_than_apts() -> None:
    said = (
        "E: The repository 'http://mirror.lan/docker noble Release' does not have a Release file."
    )
    played = Played(**{"curl": Result(True, DEBIAN_12, ""), "apt-get": Result(False, "", said)})
    with pytest.raises(RepositoryFailed, match="has nothing for this release"):
        use_repository(run_on(played), REPOSITORY, ("docker-ce",))
