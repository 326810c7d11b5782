"""The forwarder: every byte, both ways, to each side's own end; only later, and in pieces."""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from lab.forwarder import Forwarder, Route
from lab.pace import QUICK, SLOW

LIMIT = 10.0
ASK = b"GET /version HTTP/1.1\r\nHost: docker\r\n\r\n"
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Place:
    """A server on a unix socket and the forwarder before it, which does not really wait."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.route = Route("engine", "engine", str(folder / "ours"), str(folder / "real"))
        self.waited: list[float] = []
        self.forwarder = Forwarder(self._wait)
        self.server: asyncio.Server | None = None

    async def _wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        await asyncio.sleep(0)

    async def begin(self, serve: Serve | None, pace: str = SLOW, seed: int = 7) -> None:
        """Start both."""
        if serve is not None:
            self.server = await asyncio.start_unix_server(serve, self.route.to)
        await self.forwarder.take([self.route], pace, seed)

    async def open(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect as a client."""
        return await asyncio.open_unix_connection(self.route.listen)

    async def talk(self, data: bytes) -> bytes:
        """Send, say that this is all, and return everything that comes."""
        reader, writer = await self.open()
        writer.write(data)
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), LIMIT)
        writer.close()
        return answer


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: a unix socket's has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="lab") as name:
        yield Path(name)


@pytest.fixture
async def place(folder: Path) -> AsyncIterator[Place]:
    made = Place(folder)
    yield made
    await made.forwarder.end()
    if made.server is not None:
        made.server.close()


async def mirror(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer only when the other side has said all: with the same bytes."""
    writer.write(await reader.read())
    await writer.drain()
    writer.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Switch protocols, then repeat each line until the other side has said all."""
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n")
    while line := await reader.readline():
        writer.write(line)
    writer.write(b"bye")
    writer.close()


def serving(*parts: bytes) -> Serve:
    """Answer a request with these parts, each of which arrives by itself."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.02)
        writer.close()

    return serve


@pytest.mark.parametrize("pace", [SLOW, QUICK])
async def test_large_bodies_pass_unchanged_both_ways_after_a_half_close(
    place: Place, pace: str
) -> None:
    await place.begin(mirror, pace)
    data = ASK + random.Random(1).randbytes(3_000_000)
    assert await place.talk(data) == data
    assert bool(place.waited) is (pace == SLOW)


async def test_a_chunked_answer_passes_unchanged(place: Place) -> None:
    parts = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
    ]
    await place.begin(serving(*parts))
    assert await place.talk(ASK) == b"".join(parts)


async def test_an_upgraded_connection_is_carried_to_its_end(place: Place) -> None:
    await place.begin(echo)
    reader, writer = await place.open()
    writer.write(b"POST /exec/1/start HTTP/1.1\r\nConnection: Upgrade\r\n\r\n")
    assert b"101" in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
    for line in (b"GET on\n", b"\x00\xff\n"):
        writer.write(line)
        assert await asyncio.wait_for(reader.readline(), LIMIT) == line
    writer.write_eof()
    assert await asyncio.wait_for(reader.read(), LIMIT) == b"bye"
    writer.close()


async def test_the_same_seed_waits_the_same_and_quick_not_at_all(place: Place) -> None:
    await place.begin(serving(b"HTTP/1.1 200 OK\r\n\r\n{}"))
    first = [await place.talk(ASK) for _ in range(3)], place.waited.copy()
    place.waited.clear()
    await place.begin(None, seed=7)
    assert ([await place.talk(ASK) for _ in range(3)], place.waited) == first
    place.waited.clear()
    await place.begin(None, seed=8)
    assert [await place.talk(ASK) for _ in range(3)] == first[0]
    assert place.waited != first[1]
    place.waited.clear()
    await place.begin(None, QUICK)
    assert [await place.talk(ASK) for _ in range(3)] == first[0]
    assert place.waited == []


async def test_attack_6_some_error_lines_come_more_than_a_second_after_the_line_before(
    place: Place,
) -> None:
    parts = (b'HTTP/1.1 200 OK\r\n\r\n{"status": "pulling"}\n', b'{"error": "no such thing"}\n')
    await place.begin(serving(*parts))
    silent = 0
    for _ in range(20):
        place.waited.clear()
        asked = b"POST /images/create HTTP/1.1\r\n\r\n"
        assert await place.talk(asked) == b"".join(parts)
        silent += any(pause > 1 for pause in place.waited[1:])
    assert silent


async def test_each_request_of_a_kept_connection_is_delayed(place: Place) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n.")

    await place.begin(serve)
    reader, writer = await place.open()
    for _ in range(3):
        place.waited.clear()
        writer.write(ASK)
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\n."), LIMIT)
        assert place.waited
    writer.close()


async def test_a_dead_server_is_a_closed_connection(place: Place) -> None:
    await place.begin(None)
    reader, writer = await place.open()
    writer.write(ASK)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asyncio.wait_for(reader.readexactly(1), LIMIT)
    writer.close()


async def test_a_server_that_breaks_off_ends_the_clients_connection(place: Place) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await writer.drain()
        writer.transport.abort()

    await place.begin(serve, QUICK)
    answer = await place.talk(ASK)
    assert answer.endswith(b"half") or answer == b""


async def test_a_client_that_leaves_is_noticed_by_the_server(place: Place) -> None:
    has_ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        assert await reader.read() == b""
        has_ended.set()
        writer.close()

    await place.begin(serve)
    _, writer = await place.open()
    writer.write(ASK)
    await writer.drain()
    writer.close()
    await asyncio.wait_for(has_ended.wait(), LIMIT)


async def test_the_socket_has_the_mode_of_the_one_behind_it_and_goes_at_the_end(
    place: Place,
) -> None:
    server = await asyncio.start_unix_server(mirror, place.route.to)
    os.chmod(place.route.to, 0o606)
    await place.begin(None)
    ours = Path(place.route.listen)
    assert ours.stat().st_mode & 0o777 == 0o606
    assert ours.stat().st_gid == Path(place.route.to).stat().st_gid
    await place.forwarder.end()
    assert not ours.exists()
    server.close()


async def test_a_route_that_is_taken_away_refuses_and_what_is_under_way_goes_on(
    place: Place,
) -> None:
    await place.begin(echo)
    reader, writer = await place.open()
    writer.write(ASK)
    await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), LIMIT)
    await place.forwarder.take([], SLOW, 7)
    with pytest.raises(OSError):
        await place.open()
    writer.write(b"still here\n")
    assert await asyncio.wait_for(reader.readline(), LIMIT) == b"still here\n"
    writer.close()
