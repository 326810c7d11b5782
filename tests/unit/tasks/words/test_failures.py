"""A failure is a value; an exception carries it and makes no text of it."""

from __future__ import annotations

import pytest

from tasks.words.failures import Failed, Failure, StepFailed
from tasks.words.messages import RUN_AGAIN, Message

GONE = Message("words.gone", "{name} is gone")


def test_an_exception_carries_the_failure_with_the_ids_of_its_words() -> None:
    with pytest.raises(Failed) as caught:
        raise StepFailed(GONE(name="x"), RUN_AGAIN())
    failure = caught.value.failure
    assert failure == Failure("", "x is gone", "run again")
    assert (failure.cause.message, failure.remedy.message) == (GONE, RUN_AGAIN)
    assert str(caught.value) == "x is gone"


def test_who_catches_it_names_what_failed() -> None:
    error = Failed(GONE(name="x"), RUN_AGAIN(), "look at x")
    assert error.failure.what == "look at x"
    assert error.named("start x", "qwen") == Failure("start x", "x is gone", "run again", "qwen")


def test_a_failure_can_be_raised() -> None:
    failure = Failure("start x", GONE(name="x"), RUN_AGAIN())
    error = StepFailed.of(failure)
    assert error.failure == failure
    assert error.cause is failure.cause and error.remedy is failure.remedy
