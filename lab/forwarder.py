"""Carry bytes between clients and servers at the lab's pace; a program of its own.

`python -m lab.forwarder FILE`: the file says where to listen, whom to reach and how slowly. SIGHUP
lets it read the file again; what is under way goes on. A connection is carried byte for byte, each
direction to its own end: whatever is spoken there (HTTP, an upgraded connection) is not looked
into, but for the first line of a request.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.pace import QUICK, Answer, Clock, is_request

CHUNK = 256 * 1024
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True)
class Route:
    """A place to listen at and the server behind it: "host:port" or the path of a unix socket."""

    name: str
    kind: str
    listen: str
    to: str

    @property
    def is_socket(self) -> bool:
        """Tell whether it is a unix socket."""
        return self.listen.startswith("/")


class Talk:
    """One connection's requests and answers, in turn. Without a clock all passes at once."""

    def __init__(self, clock: Clock | None) -> None:
        self._clock = clock
        self._answer: Answer | None = None
        self._was_answered = True

    def asked(self, data: bytes) -> None:
        """Note what a client sends: after an answer it may be the next request."""
        if self._clock is not None and self._was_answered and is_request(data):
            self._answer = self._clock.answer(data)
            self._was_answered = False

    def answering(self) -> Answer | None:
        """Note that a server answers, and return the answer that is due."""
        self._was_answered = True
        return self._answer


class Forwarder:
    """All routes that are open."""

    def __init__(self, sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._open: dict[Route, asyncio.Server] = {}
        self._clocks: dict[str, Clock | None] = {}
        self._talks: set[asyncio.Task[None]] = set()

    async def take(self, routes: list[Route], pace: str, seed: int) -> None:
        """Open and close places to listen at, and begin the delays anew."""
        for route in self._open.keys() - set(routes):
            _close(route, self._open.pop(route))
        self._clocks = {
            r.name: None if pace == QUICK else Clock(seed, r.name, r.kind) for r in routes
        }
        for route in routes:
            if route not in self._open:
                self._open[route] = await self._listen(route)

    async def end(self) -> None:
        """Close everything."""
        for route, server in self._open.items():
            _close(route, server)
        self._open.clear()
        for task in self._talks:
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _listen(self, route: Route) -> asyncio.Server:
        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._serve(route, reader, writer))
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)

        if not route.is_socket:
            host, _, port = route.listen.rpartition(":")
            return await asyncio.start_server(begin, host, int(port), limit=CHUNK)
        server = await asyncio.start_unix_server(begin, route.listen, limit=CHUNK)
        _dress_like(Path(route.to), Path(route.listen))
        return server

    async def _serve(
        self, route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            back, forth = await _reach(route.to)
        except OSError:
            writer.transport.abort()
            return
        talk = Talk(self._clocks.get(route.name))
        ways = [
            asyncio.ensure_future(_carry_requests(reader, forth, talk)),
            asyncio.ensure_future(self._carry_answers(back, writer, talk)),
        ]
        try:
            await asyncio.gather(*ways)
        except OSError:
            # One side is gone: so must be the other.
            writer.transport.abort()
            forth.transport.abort()
        finally:
            for way in ways:
                way.cancel()
            writer.close()
            forth.close()

    async def _carry_answers(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talk: Talk
    ) -> None:
        while data := await reader.read(CHUNK):
            answer = talk.answering()
            for pause, piece in answer.pieces(data) if answer is not None else ((0.0, data),):
                if pause:
                    await self._sleep(pause)
                writer.write(piece)
                await writer.drain()
        _end_of(writer)


async def _carry_requests(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, talk: Talk
) -> None:
    while data := await reader.read(CHUNK):
        talk.asked(data)
        writer.write(data)
        await writer.drain()
    _end_of(writer)


def _end_of(writer: asyncio.StreamWriter) -> None:
    """Say that nothing more comes this way; the other way goes on."""
    with suppress(OSError, RuntimeError):
        writer.write_eof()


async def _reach(to: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if to.startswith("/"):
        return await asyncio.open_unix_connection(to, limit=CHUNK)
    host, _, port = to.rpartition(":")
    return await asyncio.open_connection(host, int(port), limit=CHUNK)


def _dress_like(real: Path, ours: Path) -> None:
    """Give a socket the mode and, where we may, the group of the one behind it."""
    with suppress(OSError):
        ours.chmod(real.stat().st_mode & 0o777)
        shutil.chown(ours, group=real.stat().st_gid)


def _close(route: Route, server: asyncio.Server) -> None:
    server.close()
    if route.is_socket:
        Path(route.listen).unlink(missing_ok=True)


async def run(file: Path, ready: Path) -> None:
    """Forward until SIGTERM; `ready` is written whenever what the file says is in force."""
    forwarder = Forwarder()
    signals: asyncio.Queue[signal.Signals] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGHUP, signal.SIGTERM):
        loop.add_signal_handler(number, signals.put_nowait, number)
    try:
        is_over = False
        while not is_over:
            told: dict[str, Any] = json.loads(file.read_text())
            routes = [Route(**route) for route in told["routes"]]
            await forwarder.take(routes, str(told["pace"]), int(told["seed"]))
            ready.write_text(f"{os.getpid()}\n")
            is_over = await signals.get() == signal.SIGTERM
    finally:
        await forwarder.end()


if __name__ == "__main__":
    os.umask(0o117)
    asyncio.run(run(Path(sys.argv[1]), Path(sys.argv[2])))
