"""Commands that reach nothing but loopback, and there only what is named."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lab import offline
from lab.errors import LabError

ASK = "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=5).read().decode())"


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"it is me")

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Answer) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield found
        found.shutdown()


@pytest.fixture
def before(server: HTTPServer) -> Iterator[list[str]]:
    """The words before a command that reaches the server only."""
    with ExitStack() as stack:
        try:
            words = stack.enter_context(offline.only([server.server_port]))
        except LabError as error:
            pytest.skip(str(error))
        yield words


def ask(before: list[str], url: str) -> subprocess.CompletedProcess[str]:
    command = [*before, sys.executable, "-c", ASK, url]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)


def test_a_named_port_answers(server: HTTPServer, before: list[str]) -> None:
    assert ask(before, f"http://127.0.0.1:{server.server_port}/").stdout == "it is me\n"


def test_another_port_does_not(before: list[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as other:
        assert "refused" in ask(before, f"http://127.0.0.1:{other.server_port}/").stderr


def test_there_is_no_way_out(before: list[str]) -> None:
    assert "unreachable" in ask(before, "http://192.0.2.1/").stderr


def test_a_namespace_that_cannot_be_made_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "_unshare", lambda: ["sh", "-c", "echo not allowed >&2; exit 1"])
    with pytest.raises(LabError, match="not allowed"), offline.only([1]):
        pass
