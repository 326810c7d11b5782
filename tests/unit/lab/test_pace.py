"""The lab's clock: the same seed gives the same delays, and no byte changes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.errors import LabError
from lab.pace import (
    CHANGE,
    LOOK,
    MANIFEST,
    QUICK,
    REGISTRY,
    SILENCE,
    SLOW,
    Clock,
    is_request,
    tempo_of,
    told,
    wanted,
)

LOOK_AT = b"GET /containers/ostest1234-0-qwen/json HTTP/1.1\r\nHost: docker\r\n\r\n"
PULL = b"POST /images/create?fromImage=a HTTP/1.1\r\nHost: docker\r\n\r\n"


def plan(seed: int, *requests: bytes) -> list[tuple[float, list[tuple[float, bytes]]]]:
    clock = Clock(seed, "engine", "engine")
    answers = [clock.answer(request) for request in requests]
    return [(answer.delay, list(answer.pieces(b"a" * 500))) for answer in answers]


def test_the_same_seed_gives_the_same_delays_and_another_one_others() -> None:
    asked = [LOOK_AT, PULL] * 20
    assert plan(7, *asked) == plan(7, *asked)
    assert plan(7, *asked) != plan(8, *asked)


def test_what_is_asked_at_the_same_time_changes_no_delay() -> None:
    alone = plan(7, PULL, PULL)
    assert plan(7, LOOK_AT, PULL, LOOK_AT, PULL)[1::2] == alone


def test_names_and_digests_of_another_run_are_delayed_alike() -> None:
    other = LOOK_AT.replace(b"ostest1234", b"ostest99")
    assert plan(7, other) == plan(7, LOOK_AT)
    digests = [f"GET /v2/a/blobs/sha256:{part * 32} HTTP/1.1\r\n".encode() for part in ("a1", "b2")]
    assert plan(7, digests[0]) == plan(7, digests[1])


def test_two_places_are_delayed_apart() -> None:
    first, second = (
        [Clock(7, place, "registry").answer(LOOK_AT).delay for _ in range(1)] for place in "ab"
    )
    assert first != second


@given(st.integers(1, 10**6), st.lists(st.binary(min_size=1, max_size=9000), min_size=1))
def test_the_pieces_are_what_came(seed: int, arrivals: list[bytes]) -> None:
    answer = Clock(seed, "a", "engine").answer(PULL)
    for arrival in arrivals:
        pieces = list(answer.pieces(arrival))
        assert b"".join(piece for _, piece in pieces) == arrival
        assert all(piece for _, piece in pieces)
        assert all(0 <= pause <= SILENCE[1] for pause, _ in pieces)


def test_a_large_body_is_hardly_cut() -> None:
    answer = Clock(3, "blobs", "registry").answer(b"GET /v2/a/blobs/b HTTP/1.1\r\n")
    parts = [piece for _ in range(100) for piece in answer.pieces(b"x" * 256 * 1024)]
    assert len(parts) < 100 + REGISTRY.pieces
    assert sum(pause for pause, _ in parts) < 5


def test_now_and_then_an_answer_is_late_or_silent_in_its_middle() -> None:
    clock = Clock(1, "engine", "engine")
    late = silent = 0
    for _ in range(300):
        answer = clock.answer(PULL)
        late += answer.delay > 1
        pauses = [pause for _ in range(3) for pause, _ in answer.pieces(b'{"status": "on"}\n')]
        silent += any(pause > 1 for pause in pauses[1:])
    assert 1 <= late <= 30
    assert 40 <= silent <= 120


def test_attack_6_the_answer_before_a_pulls_error_line_is_often_late() -> None:
    asked = b"GET /v2/library/a/manifests/v1 HTTP/1.1\r\nHost: a\r\nUser-Agent: ollama/0.24.0\r\n"
    clock = Clock(1, "models", "registry")
    assert 20 <= sum(clock.answer(asked).delay > 1 for _ in range(100)) <= 50


def test_who_asks_for_what_sets_the_tempo() -> None:
    assert tempo_of("engine", LOOK_AT) is LOOK
    assert tempo_of("engine", PULL) is CHANGE
    asked = b"GET /v2/library/a/manifests/v1 HTTP/1.1\r\nUser-Agent: "
    assert tempo_of("registry", asked + b"ollama/0.24.0\r\n") is MANIFEST
    assert tempo_of("registry", asked + b"curl/8.0\r\n") is REGISTRY


@pytest.mark.parametrize("data", [b"ls -la\n", b"\x00\x01", b"GET", b"get / HTTP/1.1\r\n", b""])
def test_what_a_terminal_sends_is_no_request(data: bytes) -> None:
    assert not is_request(data)
    assert is_request(LOOK_AT)


def test_the_environment_says_what_is_wanted() -> None:
    assert wanted({}) == (SLOW, None)
    assert wanted({"LAB_PACE": "quick", "LAB_SEED": "41"}) == (QUICK, 41)
    assert wanted({"LAB_PACE": "slow"}) == (SLOW, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAB_PACE", "fast"),
        ("LAB_PACE", "Quick"),
        ("LAB_SEED", "0"),
        ("LAB_SEED", "-1"),
        ("LAB_SEED", "9" * 10),
        ("LAB_SEED", "x"),
        ("LAB_SEED", "٣"),
    ],
)
def test_nonsense_in_the_environment_is_refused(name: str, value: str) -> None:
    with pytest.raises(LabError, match=name):
        wanted({name: value})


def test_the_seed_is_shown_as_it_is_given() -> None:
    assert "LAB_SEED=41 " in told(SLOW, 41)
    assert "LAB_SEED" not in told(QUICK, 41)
