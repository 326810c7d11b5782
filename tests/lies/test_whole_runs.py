"""Whole runs against a registry, an engine and servers that lie at random.

Each ends within its limit and with an answer for people, and what served before still serves. A
seed names a run: the same lies are told again.
"""

from __future__ import annotations

import pytest

from tests.lies.place import ODD_ONE, Place
from tests.thorough import all_but

# Those of CI meet each disturbance, from the first request on and later; --thorough tries them all.
RUNS, IN_CI = 334, 8
# Which servers lie, how often, and whether with honest answers of which one value is changed: where
# the engine does so, it tells of another host, and whatever is right there may be done.
LIARS = {
    "registry": ("registry", 0.5, True),
    "engine": ("engine", 0.1, False),
    "server": ("oslie.*", 0.3, True),
}
# Half of the runs are lied to from the first request on, the other half while they change things.
LOOKS = {"registry": 0, "engine": 24, "server": 9}


@pytest.mark.parametrize("number", all_but(IN_CI, range(RUNS), why="a thousand whole runs"))
@pytest.mark.parametrize("liar", LIARS)
def test_a_run_that_is_lied_to_ends_and_breaks_nothing(
    place: Place, liar: str, number: int
) -> None:
    server, rate, mutates = LIARS[liar]
    place.disturb(number)
    before = place.serving(ODD_ONE)
    after = LOOKS[liar] if number // 4 % 2 else 0
    seed = f"{liar} {number}"
    place.host.liar.lie_at_random(seed, rate, server, mutates=mutates, after=after)
    output = place.stack.converge()
    told = f"seed: {seed}; the lies:\n" + "\n".join(place.host.liar.told) + f"\n{output.text}"
    assert output.status in (0, 1), told
    assert "Traceback" not in output.text, told
    assert "fault of ollama-stack" not in output.text, told
    assert place.serving(ODD_ONE) == before, told
    if output.status:
        assert "cause:" in output.last, told
        assert "remedy:" in output.last, told
