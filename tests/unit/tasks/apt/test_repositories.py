"""Repositories on a host that is played: what is refused, and what gets into the keyring."""

from __future__ import annotations

import base64

import pytest

from tasks.apt.apt import HOLDERS_SCRIPT
from tasks.apt.repositories import RepositoryFailed, use_repository
from tasks.apt.sources import Repository
from tasks.shell.local import Result
from tests.unit.tasks.apt.test_openpgp import DEBIAN_12, FINGERPRINT, FOREIGN, under
from tests.unit.tasks.runs import WORKED, SaidShell, run_on

REPOSITORY = Repository(
    name="docker",
    url="http://mirror.lan/docker",
    suite="noble",
    components="stable",
    key_url="http://mirror.lan/docker/gpg",
    fingerprint=FINGERPRINT,
    key_setting="docker_apt_key",
)


def played(**answers: Result) -> SaidShell:
    """Return a host where nobody holds a lock of apt, and that answers else as told."""
    return SaidShell({HOLDERS_SCRIPT: WORKED, **answers})


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def fetched(text: str) -> Result:
    return Result(True, base64_of(text), "")


def test_fault_22_a_key_of_another_is_refused_before_apt_hears_of_the_repository() -> None:
    other = "0" * 40
    shell = played(curl=fetched(DEBIAN_12))
    refused = Repository(**{**REPOSITORY.__dict__, "fingerprint": other})
    with pytest.raises(RepositoryFailed) as failed:
        use_repository(run_on(shell), refused, ("docker-ce",))
    assert FINGERPRINT in str(failed.value) and other in str(failed.value)
    assert "docker_apt_key" in failed.value.remedy
    assert not any("apt-get" in script for script in shell.scripts)


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (Result(False, "", "curl: (6) Could not resolve host"), "cannot be fetched (curl: (6)"),
        (fetched("<html>log in first</html>"), "is no key that can be used: no public key in it"),
    ],
)
def test_fault_22_without_a_key_nothing_is_tried(answer: Result, cause: str) -> None:
    shell = played(curl=answer)
    with pytest.raises(RepositoryFailed, match="key") as failed:
        use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert cause in str(failed.value)
    assert not any("apt-get" in script for script in shell.scripts)


def test_fault_22_a_suite_that_is_missing_is_told_in_other_words_than_apts() -> None:
    said = (
        "E: The repository 'http://mirror.lan/docker noble Release' does not have a Release file."
    )
    shell = played(**{"curl": fetched(DEBIAN_12), "apt-get": Result(False, "", said)})
    with pytest.raises(RepositoryFailed, match="has nothing for this release"):
        use_repository(run_on(shell), REPOSITORY, ("docker-ce",))


def written(shell: SaidShell) -> list[str]:
    """Return what the trials got on their standard input, without the three lines of proxies."""
    trials = [a for a in shell.asked if "key.asc" in a.script and "apt-get" in a.script]
    return [asked.stdin.split("\n", 3)[3] for asked in trials]


@pytest.mark.parametrize(
    "text",
    [
        DEBIAN_12,
        under("PGP ARMORED FILE") + DEBIAN_12,
        under("PGP PRIVATE KEY BLOCK") + DEBIAN_12 + under("PGP MESSAGE"),
        FOREIGN.armoured + DEBIAN_12,
        f"Hello\n{DEBIAN_12}-----BEGIN",
    ],
    ids=["alone", "another armour before it", "around it", "a second key", "words around it"],
)
def test_attack_2_the_keyring_gets_the_pinned_key_and_nothing_else_of_the_file(text: str) -> None:
    shell = played(curl=fetched(text))
    use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert written(shell) == [DEBIAN_12]
    assert sum("curl" in script for script in shell.scripts) == 1, "no second download"


def test_attack_2_a_new_key_is_shown_and_taken_only_through_its_setting() -> None:
    shell = played(curl=fetched(FOREIGN.armoured))
    with pytest.raises(RepositoryFailed) as failed:
        use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert FOREIGN.fingerprint in str(failed.value)
    assert "only through the setting docker_apt_key" in failed.value.remedy
    assert written(shell) == []


def test_attack_2_a_key_beside_the_pinned_one_that_signs_now_is_named() -> None:
    said = "E: The following signatures couldn't be verified: NO_PUBKEY 0123456789ABCDEF"
    shell = played(
        **{"curl": fetched(DEBIAN_12 + FOREIGN.armoured), "apt-get": Result(False, "", said)}
    )
    with pytest.raises(RepositoryFailed, match=FOREIGN.fingerprint) as failed:
        use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert "docker_apt_key" in failed.value.remedy


def configured(keyring: str, sources: str = REPOSITORY.deb822(), **more: Result) -> SaidShell:
    """Return a host whose lists name the repository already."""
    ours = Result(True, f"{base64_of(sources)}\n{base64_of(keyring)}", "")
    return played(
        **{
            "grep -qxF": Result(True, "yes", ""),
            "head -c": ours,
            "curl -q": fetched(DEBIAN_12),
            **more,
        }
    )


def test_a_repository_with_the_pinned_key_is_used_as_it_is() -> None:
    shell = configured(DEBIAN_12)
    use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert not any("curl -q" in script for script in shell.scripts) and written(shell) == []


@pytest.mark.parametrize(
    "keyring",
    ["", FOREIGN.armoured, DEBIAN_12 + FOREIGN.armoured, under("X") + DEBIAN_12, DEBIAN_12 + "\n"],
    ids=["none", "another", "two", "another armour", "a byte more"],
)
def test_attack_2_a_keyring_of_ours_that_holds_more_is_written_anew(keyring: str) -> None:
    shell = configured(keyring)
    use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert written(shell) == [DEBIAN_12]


def test_a_pinned_key_whose_time_was_prolonged_is_fetched_again() -> None:
    expired = Result(False, "", "W: GPG error: http://mirror.lan: EXPKEYSIG F8D2585B8783D481")
    shell = configured(DEBIAN_12, **{"key.asc": Result(True, "", ""), "apt-get": expired})
    use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert written(shell) == [DEBIAN_12]


def test_lists_and_keyrings_of_others_are_left_alone() -> None:
    unsigned = Result(False, "", "E: The repository 'x' is not signed.")
    sources = "deb http://mirror.lan/docker noble stable"
    shell = configured("whatever", sources=sources)
    use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert written(shell) == []
    shell = configured("whatever", sources=sources, **{"apt-get": unsigned})
    with pytest.raises(RepositoryFailed, match="is not signed as it should be"):
        use_repository(run_on(shell), REPOSITORY, ("docker-ce",))
    assert not any("curl -q" in script for script in shell.scripts)
