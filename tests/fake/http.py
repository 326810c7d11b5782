"""HTTP/1.1 on real sockets, TCP and Unix: as much of it as curl and the Docker SDK need.

Its own loop and not http.server's: a lie may send any bytes, any length, or nothing at all.
"""

from __future__ import annotations

import json
import re
import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote

Ending = Literal["", "close", "cut", "reset", "silence"]
BACKLOG = 128
MOST_HEADERS = 1024**2
# Docker's clients put the version of the API in front of each path.
_API_VERSION = re.compile(r"^/v1\.\d+(?=/)")


@dataclass(frozen=True)
class Request:
    """One request: `target` is as it was sent, `path` without its query; `server` is our name."""

    server: str
    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def path(self) -> str:
        """The path, decoded, without a version of the API in front."""
        return _API_VERSION.sub("", unquote(self.target.partition("?")[0]))

    @property
    def query(self) -> dict[str, str]:
        """The parameters of the query."""
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))

    @property
    def json(self) -> Any:
        """The body as JSON; an empty object where there is none."""
        with suppress(ValueError):
            return json.loads(self.body)
        return {}

    def __str__(self) -> str:
        return f"{self.server}: {self.method} {self.target}"


@dataclass(frozen=True)
class Response:
    """One answer. `chunks` are a body that comes bit by bit; `length` is told in place of the real
    one; `ending` tells how the connection ends: with the body, which has no length then ("close"),
    in the middle of it ("cut"), by a reset, or after a silence of `wait` seconds at most. Else
    `wait` passes before the first byte."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    chunks: Iterable[bytes] | None = None
    length: int | None = None
    wait: float = 0
    ending: Ending = ""


def of_json(value: Any, status: int = 200, **headers: str) -> Response:
    """Return an answer of JSON, in the compact form in which Go writes it."""
    body = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    return Response(status, body, {"Content-Type": "application/json", **headers})


def line_of(value: Any) -> bytes:
    """Return one line of an NDJSON stream."""
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


Handler = Callable[[Request], Response]
# What stands between a request and its honest answer: told both, it returns what goes out.
Gate = Callable[[Request, Callable[[], Response]], Response]


class Record:
    """Every request that came, in order; of all servers of a host."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: list[Request] = []

    def add(self, request: Request) -> None:
        """Write a request down."""
        with self._lock:
            self._seen.append(request)

    @property
    def seen(self) -> list[Request]:
        """All requests so far."""
        with self._lock:
            return list(self._seen)

    def of(self, server: str = "", method: str = "", path: str = "") -> list[Request]:
        """Return the requests to a server, by a method, whose target holds a pattern."""
        return [
            one
            for one in self.seen
            if server in ("", one.server)
            and method in ("", one.method)
            and re.search(path, unquote(one.target))
        ]

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._seen.clear()


class Server:
    """One listening socket; a thread for each connection. `close` ends all of them."""

    def __init__(
        self, name: str, listener: socket.socket, handler: Handler, gate: Gate, record: Record
    ) -> None:
        self.name, self._listener, self._handler = name, listener, handler
        self._gate, self._record = gate, record
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.is_closed = False
        threading.Thread(target=self._accept, name=f"fake {name}", daemon=True).start()

    def close(self) -> None:
        """Stop listening, and end what is under way."""
        self.is_closed = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            reader = _Reader(connection)
            while (request := reader.request(self.name)) is not None and not self.is_closed:
                self._record.add(request)
                response = self._gate(request, lambda asked=request: self._honest(asked))
                if not _send(connection, request, response):
                    return
        except OSError:
            # Whoever asked has gone.
            return
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _honest(self, request: Request) -> Response:
        try:
            return self._handler(request)
        except Exception as error:  # A fault of the fake: the test has to see it.
            return of_json({"message": f"fault of the fake: {error!r}"}, 599)


def on_port(address: str, port: int) -> socket.socket:
    """Return a listening socket; raises OSError where the port is taken. 0 takes any free one."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def on_path(path: str) -> socket.socket:
    """Return a listening socket in the file system."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(BACKLOG)
    return listener


class _Reader:
    """Takes requests off a connection, one after the other."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection, self._rest = connection, b""

    def request(self, server: str) -> Request | None:
        """Return the next request, None where none comes any more."""
        while b"\r\n\r\n" not in self._rest:
            if len(self._rest) > MOST_HEADERS or not self._more():
                return None
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = [*first.split(" "), "", ""][:3]
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        return Request(server, method, target, headers, self._body(headers))

    def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            return b"".join(self._chunks())
        return self._take(int(headers.get("content-length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while True:
            size = int(self._line() or b"0", 16)
            yield self._take(size)
            self._line()
            if not size:
                return

    def _line(self) -> bytes:
        while b"\r\n" not in self._rest and self._more():
            pass
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    def _take(self, size: int) -> bytes:
        while len(self._rest) < size and self._more():
            pass
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _more(self) -> bool:
        data = self._connection.recv(65536)
        self._rest += data
        return bool(data)


def _send(connection: socket.socket, request: Request, response: Response) -> bool:
    """Send an answer; returns whether the connection stays open for another request."""
    if response.ending == "silence":
        _wait_until_it_goes(connection, response.wait)
        return False
    if response.wait:
        time.sleep(response.wait)
    if response.ending == "reset":
        # A close that throws away what is unsent is a reset.
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        return False
    is_head = request.method == "HEAD"
    connection.sendall(_head(response))
    if response.ending == "close":
        # Docker's SDK takes the connection over after the headers; what came with them is lost.
        time.sleep(0.02)
    if response.ending == "cut":
        connection.sendall(response.body[: len(response.body) // 2])
        return False
    if response.chunks is not None and not is_head:
        for chunk in filter(None, response.chunks):
            connection.sendall(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        connection.sendall(b"0\r\n\r\n")
    elif not is_head:
        connection.sendall(response.body)
    return response.length in (None, len(response.body)) and response.ending != "close"


def _head(response: Response) -> bytes:
    lines = [f"HTTP/1.1 {response.status} Fake"]
    lines += [f"{name}: {value}" for name, value in response.headers.items()]
    if response.chunks is not None:
        lines.append("Transfer-Encoding: chunked")
    elif response.ending == "close":
        lines.append("Connection: close")
    elif response.status >= 200 and response.status not in (204, 304):
        told = len(response.body) if response.length is None else response.length
        lines.append(f"Content-Length: {told}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")


def _wait_until_it_goes(connection: socket.socket, seconds: float) -> None:
    """Say nothing until the other side gives up, or for so long."""
    select.select([connection], [], [], seconds)
