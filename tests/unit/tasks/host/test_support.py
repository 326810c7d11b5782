"""Releases that get no security updates any more."""

from __future__ import annotations

from datetime import date

from tasks.host.observed import Distribution
from tasks.host.support import support_note

QUESTING = Distribution("ubuntu", "25.10", "questing", "Ubuntu 25.10")


def test_a_release_past_its_support_is_told() -> None:
    (note,) = support_note(QUESTING, date(2026, 8, 1))
    assert note.startswith("Ubuntu 25.10 is past its support since July 2026")


def test_its_last_month_is_within_its_support() -> None:
    assert support_note(QUESTING, date(2026, 7, 31)) == ()


def test_of_a_release_that_nobody_listed_nothing_is_said() -> None:
    assert support_note(Distribution("ubuntu", "24.04", "noble"), date(2100, 1, 1)) == ()
    assert support_note(Distribution(), date(2100, 1, 1)) == ()


def test_debian_counts_with_its_long_term_support() -> None:
    bullseye = Distribution("debian", "11", "bullseye", "Debian GNU/Linux 11 (bullseye)")
    assert support_note(bullseye, date(2026, 8, 31)) == ()
    assert "since August 2026" in support_note(bullseye, date(2026, 9, 1))[0]
    assert support_note(Distribution("debian", "12", "bookworm"), date(2026, 11, 1)) == ()
