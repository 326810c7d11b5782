"""A host behind pyinfra's connector: whatever the connector does is a result."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import gevent
import pytest
from paramiko import SSHException
from pyinfra.api import Host

from tasks.run.pyinfra.host_shell import PyinfraScreen, PyinfraShell


class Connected:
    """A host whose connector gives a value, or raises; what it was called with is kept."""

    name = "ws1"

    def __init__(self, outcome: Any = None) -> None:
        self.outcome = outcome or (True, SimpleNamespace(stdout="out", stderr="err"))
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.lines: list[tuple[str, str]] = []

    def run_shell_command(self, command: Any, **arguments: Any) -> Any:
        self.called.append((command.get_raw_value(), arguments))
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome

    def log(self, line: str) -> None:
        self.lines.append((line, ""))

    def log_styled(self, line: str, *, fg: str) -> None:
        self.lines.append((line, fg))


def shell_of(host: Connected, *, sudo: bool = False) -> PyinfraShell:
    return PyinfraShell(cast(Host, host), sudo)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TimeoutError(), "no answer within 60 s"),
        (ConnectionResetError("gone"), "the connection to the host failed: gone"),
        (EOFError("closed"), "the connection to the host failed: closed"),
        (SSHException("no channel"), "the connection to the host failed: no channel"),
        (
            UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
            "the host's answer is no UTF-8 text",
        ),
    ],
)
def test_what_the_connector_raises_is_a_failed_command(error: Exception, said: str) -> None:
    result = shell_of(Connected(error)).sh("x")
    assert (result.ok, result.stdout, result.stderr) == (False, "", said)


def test_a_script_gets_its_input_and_its_limit_and_gives_what_it_printed() -> None:
    host = Connected((False, SimpleNamespace(stdout="out", stderr="err")))
    result = shell_of(host).sh("cat", stdin="secret", timeout=5)
    assert (result.ok, result.stdout, result.stderr) == (False, "out", "err")
    assert host.called == [("cat", {"_sudo": False, "_stdin": "secret", "_timeout": 5})]
    host.called.clear()
    shell_of(host).sh("cat", timeout=None)
    assert host.called == [("cat", {"_sudo": False})]


@pytest.mark.parametrize(
    ("needs", "asked", "used"),
    [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
def test_sudo_is_used_where_it_is_needed_or_asked_for(
    needs: bool, asked: bool | None, used: bool
) -> None:
    host = Connected()
    shell_of(host, sudo=needs).sh("x", sudo=asked)
    assert host.called[0][1]["_sudo"] is used


def test_the_caller_never_uses_sudo() -> None:
    host = Connected()
    shell_of(host, sudo=True).as_caller().sh("x", stdin="in", timeout=7)
    assert host.called == [("x", {"_sudo": False, "_stdin": "in", "_timeout": 7})]


def test_work_beside_a_run_is_waited_for_as_long_as_one_likes() -> None:
    is_open = gevent.event.Event()
    pending = shell_of(Connected()).beside(lambda: is_open.wait() and 5)
    assert not pending.is_done() and pending.wait(0) is None
    is_open.set()
    assert pending.wait() == 5 and pending.is_done()


def test_lines_have_their_colour_or_none() -> None:
    host = Connected()
    screen = PyinfraScreen(cast(Host, host))
    screen.line("plain")
    screen.line("bad", "red")
    assert host.lines == [("plain", ""), ("bad", "red")]
