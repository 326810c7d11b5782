"""What is looked at once, until something changes, and what is asked once in a run."""

from __future__ import annotations

from tasks.run.seen import Seen


class Counted:
    """Looks that are counted."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> int:
        self.count += 1
        return self.count


def test_one_look_serves_all_until_it_is_forgotten() -> None:
    seen, look = Seen(), Counted()
    assert [seen.once(int, look), seen.once(int, look)] == [1, 1]
    seen.forget()
    assert seen.once(int, look) == 2


def test_each_kind_is_seen_and_forgotten_by_itself() -> None:
    seen = Seen()
    seen.once(int, lambda: 1)
    seen.once(str, lambda: "a")
    seen.forget(str, float)
    assert (seen.once(int, lambda: 2), seen.once(str, lambda: "b")) == (1, "b")


def test_nothing_is_a_value_that_was_seen() -> None:
    seen = Seen()
    seen.once(type(None), lambda: None)
    assert seen.once(type(None), lambda: 1 / 0) is None


def test_what_lasts_outlives_every_change() -> None:
    seen, make = Seen(), Counted()
    seen.lasting(int, make)
    seen.forget()
    seen.forget(int)
    assert seen.lasting(int, make) == 1
    assert seen.once(int, lambda: 7) == 7, "and is another thing than what is observed"
