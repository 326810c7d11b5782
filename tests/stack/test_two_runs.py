"""Fault 32: of two converges at once one works, and the other ends and says who is at work."""

from __future__ import annotations

from tests.stack.installation import BEGINNING, Installation


def test_fault_32_exactly_one_works_and_one_leaves(stack: Installation, times: int) -> None:
    for number in range(times):
        # A replacement takes longer than the other one waits.
        stack.write(qwen={"context": 512 + number}, deepseek={"context": 512 + number})
        runs = [stack.begin(), stack.begin()]
        texts = [run.communicate(timeout=300)[0] for run in runs]
        statuses = sorted(run.returncode for run in runs)
        assert statuses == [0, 1], "\n".join(texts)
        leaver = next(t for t, run in zip(texts, runs, strict=True) if run.returncode)
        worker = next(run.pid for run in runs if not run.returncode)
        assert "another run is at work on this host" in leaver
        assert f"PID {worker} of " in leaver
        assert "Traceback" not in "".join(texts)
    assert set(stack.converge().operations.values()) == {"No changes"}


def test_the_second_one_waits_where_it_is_told_to(stack: Installation) -> None:
    stack.write(qwen={"context": 1024}, deepseek={"context": 1024})
    first = stack.begin()
    # It has the lock by then.
    stack.read_until(first, BEGINNING)
    second = stack.converge("lock_wait=120")
    assert first.wait(timeout=300) == 0
    assert second.status == 0, second.text
