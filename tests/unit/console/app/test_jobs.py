"""Long work as a process of its own: real ones, short."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from console.app.jobs import KEPT_LINES, LONGEST_LINE, Job
from tasks.words.numbers import progress_text

LIMIT = 20


def shell(script: str) -> Job:
    return Job("try it", ["sh", "-c", script])


async def run(job: Job, tell: Callable[[str], None] = lambda _: None) -> int:
    """Run a job; one that never ends fails its test."""
    return await asyncio.wait_for(job.run(tell), LIMIT)


async def test_its_output_comes_line_by_line_from_both_streams() -> None:
    job, told = shell("echo one; echo two >&2; printf three"), list[str]()
    assert job.is_running
    assert await run(job, told.append) == 0
    assert told == job.lines == ["one", "two", "three"]
    assert (job.is_running, job.is_bad, job.outcome) == (False, False, "done")


async def test_its_exit_status_is_told() -> None:
    job = shell("echo oh; exit 3")
    assert await run(job) == 3
    assert job.is_bad
    assert job.outcome == "failed (exit status 3)"


async def test_a_command_that_does_not_exist_failed_and_says_why() -> None:
    job = Job("try it", ["/nowhere/main.sh"])
    assert await run(job) == 1
    assert job.lines == ["/nowhere/main.sh cannot be started: No such file or directory"]
    assert job.is_bad


def test_progress_is_read_as_it_is_printed() -> None:
    job = Job("pull", [])
    job.take(f"    [@local]   {progress_text(45 * 10**8, 10**10, 38e6)}", lambda _: None)
    assert job.share == 0.45
    assert job.outcome == "45 %, 4.5 GB of 10.0 GB, 38.0 MB/s, 2 min 25 s left"
    job.take("    [@local] qwen: prove m:1 by a generation", lambda _: None)
    assert job.share is None
    assert job.outcome == "qwen: prove m:1 by a generation"


def test_no_share_is_more_than_all() -> None:
    job = Job("pull", [])
    job.take("    [@local]   130 %, 2.6 GB of 2.0 GB, 1.0 MB/s", lambda _: None)
    assert job.share == 1.0


async def test_of_a_line_that_was_written_over_the_last_words_count() -> None:
    job = shell(r"printf '10 %%\r90 %%\nplain\r\n'")
    await run(job)
    assert job.lines == ["90 %", "plain"]


async def test_colours_do_not_reach_the_terminal() -> None:
    job = shell(r"printf '\033[1;31mred\033[0m\n'")
    await run(job)
    assert job.lines == ["red"]


async def test_a_line_longer_than_any_ends_nothing() -> None:
    job = shell(f"head -c {3 * LONGEST_LINE} /dev/zero | tr '\\0' x; echo; echo after")
    assert await run(job) == 0
    assert sum(map(len, job.lines[:-1])) == 3 * LONGEST_LINE
    assert job.lines[-1] == "after"


async def test_of_much_output_the_last_lines_are_kept() -> None:
    job = shell(f"seq {KEPT_LINES + 7}")
    await run(job)
    assert len(job.lines) == KEPT_LINES
    assert job.lines[0] == "8"


async def cancelling(job: Job, times: int) -> int:
    """Cancel a job as often as it said something."""

    def tell(line: str) -> None:
        if job.cancels < times:
            job.cancel()

    return await run(job, tell)


async def test_it_is_cancelled_as_by_ctrl_c_with_all_that_it_started() -> None:
    job = shell("trap 'echo caught; exit 7' INT; echo begun; while :; do sleep 0.05; done")
    assert await cancelling(job, 1) == 7
    assert job.lines == ["begun", "caught"]
    assert not job.is_bad
    assert job.outcome == "cancelled; the next converge mends what it left"


@pytest.mark.parametrize(
    ("ignored", "times", "status"), [("INT", 2, -15), ("INT TERM", 3, -9)], ids=["TERM", "KILL"]
)
async def test_who_ignores_it_is_told_with_more_emphasis(
    ignored: str, times: int, status: int
) -> None:
    job = shell(f"trap '' {ignored}; while echo on; do sleep 0.05; done")
    assert await cancelling(job, times) == status
    assert job.cancels == times


async def test_while_it_ends_it_says_so_and_afterwards_nothing_is_cancelled() -> None:
    outcomes = []
    job = shell("trap 'exit 0' INT; echo begun; while :; do sleep 0.05; done")

    def tell(line: str) -> None:
        job.cancel()
        outcomes.append(job.outcome)

    await run(job, tell)
    job.cancel()
    assert outcomes == ["being cancelled …"]
    assert (job.cancels, job.outcome) == (1, "done")
