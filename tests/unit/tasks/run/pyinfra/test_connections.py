"""A host that cannot be reached: its cause in pyinfra's words, and what a person does about it."""

from __future__ import annotations

import pytest

from tasks.run.pyinfra.connections import explain

# As pyinfra 3.10 said them, the last one of a host that was set up anew; names are invented.
SAID = [
    ("Could not connect ([Errno None] Unable to connect to port 22 on 10.0.0.9)", "it is on"),
    ("Could not connect (timed out)", "it is on"),
    ("Could not resolve hostname ([Errno -2] Name or service not known)", "mend its name"),
    ("Authentication error (username=dev) (Authentication failed.)", "ssh_user and ssh_key"),
    ("No such private key file: /home/dev/.ssh/gone", "mend ssh_key"),
    ("SSH host key error (Host key for 10.0.0.9 does not match.)", "ssh-keygen -R"),
]


@pytest.mark.parametrize(("words", "remedy"), SAID)
def test_each_reason_has_its_remedy_and_the_command_that_shows_it(words: str, remedy: str) -> None:
    failure = explain(words, "ssh dev@10.0.0.9 true")
    assert remedy in failure.remedy
    assert "ssh dev@10.0.0.9 true" in failure.remedy
    assert "Errno None" not in failure.cause


def test_a_host_that_is_not_reached_by_ssh_is_told_no_ssh() -> None:
    assert "true" not in explain("Could not connect (no such container)", "").remedy
