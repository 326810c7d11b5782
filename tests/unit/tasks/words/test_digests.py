"""Digests as people see them."""

from __future__ import annotations

import pytest

from tasks.words.digests import short

HEXADECIMAL = "0123456789abcdef" * 4


@pytest.mark.parametrize("digest", [f"sha256:{HEXADECIMAL}", f"sha512:{HEXADECIMAL * 2}"])
def test_a_digest_is_shown_by_its_first_twelve_digits(digest: str) -> None:
    assert short(digest) == "0123456789ab"


def test_the_id_of_a_container_has_no_algorithm_before_it() -> None:
    assert short(HEXADECIMAL) == "0123456789ab"


def test_of_what_is_not_known_nothing_is_shown() -> None:
    assert (short(""), short("sha256:a")) == ("", "a")
