"""The addresses under which a server is reached."""

from __future__ import annotations

from tasks.declared.addresses import openai_url


def test_the_openai_side_of_a_server_is_below_its_own_address() -> None:
    assert openai_url("http://[::1]:11434") == "http://[::1]:11434/v1"
