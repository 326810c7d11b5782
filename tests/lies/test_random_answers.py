"""A thousand random answers of each: whatever comes is known, unknown or one error in plain words.

Looking, pulling and parsing meet any status, bytes, truncation, delay and silence. The clock is a
test's: nobody waits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tasks.containers.parse import parse
from tasks.registry.manifests import (
    RegistryFault,
    RemoteManifest,
    digest_for,
    parse_reply,
    result,
    token_url,
)
from tasks.run import streams
from tasks.run.streams import ImageProgress, ModelProgress, Progress, follow
from tasks.shell.curl import is_token
from tasks.shell.local import Result
from tests.unit.tasks.containers.test_look import STACK, recorded
from tests.unit.tasks.containers.test_unknown import ANSWER
from tests.unit.tasks.runs import Asked, SaidShell, lines_of, run_on
from tests.unit.tasks.said import enveloped

MANY = settings(max_examples=10 * settings().max_examples)
PARTS = recorded()
URLS = {part: [m[3] for m in ANSWER.finditer(PARTS[part])] for part in PARTS}
BODIES = {m[3]: m[1].strip() for part in PARTS for m in ANSWER.finditer(PARTS[part])}
STATUSES = st.sampled_from((0, 100, 200, 200, 200, 204, 301, 304, 400, 401, 404, 409, 500, 503))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(codec=None), max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
)
ODD = st.sampled_from(
    (b"", b"null", b"[]", b"{}", b"[" * 3000, b"9" * 5000, b"1e999", b"<html>", b"\xff\xfe")
)


@st.composite
def bodies(draw: st.DrawFn, honest: bytes = b"") -> bytes:
    """Draw the body of an answer: an honest one that was changed, any JSON, or any bytes."""
    kind = draw(st.integers(0, 4))
    if kind == 0 and honest:
        at = draw(st.integers(0, len(honest)))
        return honest[:at] + draw(st.binary(max_size=9)) + honest[at + draw(st.integers(0, 9)) :]
    if kind == 1 and honest:
        return honest[: draw(st.integers(0, len(honest)))]
    if kind == 2:
        return json.dumps(draw(VALUES)).encode()
    return draw(ODD) if kind == 3 else draw(st.binary(max_size=200))


@st.composite
def lied(draw: st.DrawFn, part: str) -> str:
    """Draw what a look printed, where some answers of one part are lies."""
    raw = b""
    for url in URLS[part]:
        body, status = BODIES[url].encode(), 200
        if draw(st.integers(0, 3)) == 0:
            body, status = draw(bodies(body)), draw(STATUSES)
        raw += body + f"\n#{status:03} {url}\n".encode()
    if draw(st.booleans()):
        raw = raw[: draw(st.integers(0, len(raw)))]
    others = [enveloped(text, name) for name, text in PARTS.items() if name != part]
    return "\n".join([*others, enveloped(raw, part)])


def assert_nothing_was_lost(output: str, about: str = "") -> None:
    """Each container that is there is seen, or its service is unknown; the others are as before."""
    seen = parse(STACK, output)
    for service in STACK.services:
        container = seen.named(STACK.container_name(service))
        assert container is not None or seen.unknown_of(service.name)
        if about and service.name != about:
            assert not seen.unknown_of(service.name)
    assert all(isinstance(cause, str) and cause for cause in seen.unknown.values())


@MANY
@given(lied("engine"))
def test_an_engine_that_lies_hides_no_container(output: str) -> None:
    assert_nothing_was_lost(output)


@MANY
@given(lied("server.qwen"))
def test_a_server_that_lies_is_known_or_unknown_alone(output: str) -> None:
    assert_nothing_was_lost(output, about="qwen")


LAYER = {"digest": f"sha256:{'1' * 64}", "size": 5, "mediaType": "x"}
MANIFEST = json.dumps({"config": LAYER, "layers": [LAYER]}).encode()


@MANY
@given(bodies(MANIFEST), STATUSES, st.integers(-9, 9), st.text(max_size=60), st.text(max_size=9))
def test_a_registry_that_lies_gives_a_manifest_or_a_fault(
    body: bytes, status: int, off: int, headers: str, token: str
) -> None:
    head = f"HTTP/1.1 200 OK\r\nWww-Authenticate: Bearer {headers}\r\n\r\n".encode()
    raw = head + body + f"\n{status} {len(body) + off}".encode()
    reply = parse_reply(raw, "")
    found = result(reply, "model x:1", "r:1", "model")
    assert isinstance(found, RemoteManifest | RegistryFault)
    if isinstance(found, RemoteManifest):
        assert found.size >= 0
    else:
        assert found.cause and found.remedy
    assert digest_for(reply.body, "amd64") in ("", LAYER["digest"])
    url = token_url(f'Www-Authenticate: Bearer realm="{headers}"', is_plain=True)
    assert url == "" or url.startswith(("http://", "https://"))
    assert not is_token(token) or not set(token) & set('"\\\n\r ')


LINES = [
    b'{"status": "pulling manifest"}\n',
    b'{"status": "pulling a", "digest": "sha256:aa", "total": 100, "completed": 60}\n',
    b'{"status": "Downloading", "id": "a", "progressDetail": {"current": 5, "total": 9}}\n',
    b'{"error": "it broke"}\n',
    b'{"status": "success"}\n',
]
PIECES = st.lists(st.sampled_from(LINES) | bodies(LINES[1]), max_size=6)


class Pulling:
    """A host whose stream tells one piece at each look; then it ends, or says nothing any more."""

    def __init__(self, pieces: list[bytes], end: str, answers: list[bool]) -> None:
        self.pieces, self.end, self.answers = list(pieces), end, list(answers)

    def __call__(self, asked: Asked) -> Result:
        if "mktemp" in asked.script:
            return Result(True, "/tmp/ollama-stack.AbCd12", "")
        if "tail -c" not in asked.script or (self.answers and not self.answers.pop()):
            return Result(False, "", "no answer within 60 s")
        piece = self.pieces.pop(0) if self.pieces else b""
        ended = "" if self.pieces else self.end
        return Result(True, f"{enveloped(piece, 'out')}\n{enveloped(ended, 'end')}", "")


@MANY
@given(
    PIECES,
    st.sampled_from(("200 0 ", "500 22 x", "000 7 refused", "", "2x0 0", "\x1b[2J", "200 18")),
    st.lists(st.booleans(), max_size=4),
    st.sampled_from((ModelProgress, ImageProgress)),
)
def test_a_pull_of_lies_ends_and_is_done_only_where_it_was(
    pieces: list[bytes], end: str, answers: list[bool], kind: type[Progress]
) -> None:
    clock = Clock()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streams.time, "sleep", clock.sleep)
        run = run_on(SaidShell(Pulling(pieces, end, answers)), STACK)
        progress = kind()
        found = follow(run, "curl x", "{}", progress, what="x", stall=30, clock=clock)
    said = b"".join(pieces).split(b"\n")
    assert found.ok is (end == "200 0 " and not progress.error)
    assert found.ok or found.error or found.stalled
    if any(_error_in(line) for line in said):
        assert not found.ok
    assert clock() < 2000
    assert not any("\x1b" in line for line in lines_of(run))


def _error_in(line: bytes) -> bool:
    return line == LINES[3].rstrip(b"\n")


class Clock:
    """A clock that moves while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_parts_are_those_of_a_whole_host() -> None:
    known: Mapping[str, str] = parse(
        STACK, "\n".join(enveloped(text, name) for name, text in PARTS.items())
    ).unknown
    assert known == {}
