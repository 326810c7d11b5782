"""Lies meet the requests that they are aimed at; what is drawn depends on the seed alone."""

from __future__ import annotations

import random
import subprocess
import time
from typing import Any

import docker
import pytest

from tests.fake import bodies, lies
from tests.fake.host import FakeHost
from tests.fake.http import Request, Response

ASKED = Request("engine", "GET", "/containers/ollama-qwen/json")


def curl(host: FakeHost, path: str) -> tuple[int, bytes]:
    """Return curl's own exit status, and what came."""
    command = [
        "curl",
        "-s",
        "--max-time",
        "2",
        "--unix-socket",
        host.socket,
        f"http://docker{path}",
    ]
    found = subprocess.run(command, capture_output=True, check=False)
    return found.returncode, found.stdout


def test_honest_unless_told(host: FakeHost) -> None:
    assert curl(host, "/_ping") == (0, b"OK")
    assert host.liar.told == []


def test_the_second_one_is_met(host: FakeHost) -> None:
    host.liar.aim(lies.says("no", 500), server="engine", path="/_ping", only=[2])
    assert [curl(host, "/_ping")[1] for _ in range(3)] == [b"OK", b"no", b"OK"]
    assert host.liar.told == ["engine: GET /_ping: aimed"]
    host.liar.be_honest()
    assert curl(host, "/_ping") == (0, b"OK")


@pytest.mark.parametrize(
    ("lie", "status"),
    [(lies.reset, 52), (lies.cut, 18), (lies.silence(), 28), (lies.silence(0.1), 52)],
)
def test_connections_end_in_every_way(host: FakeHost, lie: lies.Lie, status: int) -> None:
    host.liar.aim(lie, path="/version")
    assert curl(host, "/version")[0] == status


def test_a_deed_can_be_done_and_denied(host: FakeHost, client: docker.DockerClient) -> None:
    denied = lies.after_the_deed(lies.says("no", 500))
    host.liar.aim(denied, method="POST", path="/volumes/create", only=[1])
    with pytest.raises(docker.errors.APIError):
        client.volumes.create("made")
    assert client.volumes.get("made")


def test_the_same_seed_draws_the_same() -> None:
    def told(seed: str) -> list[Any]:
        drawn = lies.RandomLies(seed, 0.5, ".*", mutates=True)
        found = [drawn.draw(ASKED) for _ in range(50)]
        return [one[0] if one else None for one in found]

    assert told("1") == told("1")
    assert told("1") != told("2")
    assert 10 < len([one for one in told("1") if one]) < 40


def test_only_the_meant_servers_lie() -> None:
    drawn = lies.RandomLies("1", 1, "registry", mutates=True)
    assert drawn.draw(ASKED) is None


def test_every_body_is_bounded() -> None:
    rng = random.Random(1)
    assert all(len(bodies.odd(rng)[1]) < 4 * bodies.MIB for _ in range(500))


def test_one_value_of_an_honest_answer_changes() -> None:
    honest = b'{"a":{"b":[1,2]},"c":"d"}\n'
    assert all(bodies.mutated(honest, random.Random(n)) != honest.strip() for n in range(20))


def test_what_is_late_is_honest() -> None:
    answer = lies.slow(0.5)(ASKED, lambda: Response(200, b"ok"))
    begun = time.monotonic()
    assert (answer.body, answer.wait) == (b"ok", 0.5)
    assert time.monotonic() - begun < 0.4
