"""How much of a prompt was read, from lines of a real server's log (0.24.0, the lab's)."""

from __future__ import annotations

from tasks.servers.context import Cuts, cuts_in

LOG = """\
[GIN] 2026/11/23 - 15:53:12 | 200 |  103.2ms |      172.17.0.1 | POST     "/api/generate"
time=2026-11-23T15:53:12.203Z level=WARN source=runner.go:153 msg="truncating input prompt" \
limit=2048 prompt=2560 keep=5 new=2048
time=2026-11-23T15:53:13.018Z level=WARN source=runner.go:153 msg="truncating input prompt" \
limit=2048 prompt=5060 keep=5 new=2048
"""


def test_prompts_that_were_cut_are_counted_with_the_longest() -> None:
    assert cuts_in(LOG.splitlines()) == Cuts(2, 5060, 2048)


def test_the_doctors_own_question_is_none_of_a_client() -> None:
    line = 'msg="truncating input prompt" limit=2048 prompt=2256 keep=4 new=2048'
    assert cuts_in([line]) == Cuts()


def test_a_log_without_any_says_nothing() -> None:
    assert cuts_in(["[GIN] 200"]) == Cuts()
