"""Views of text: lines that are there, lines that a thread fetches, and a log that goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Footer, RichLog

from console.app.threads import beside, is_open, tell
from console.app.words import Heading
from console.words.safe import safe
from console.words.trouble import fault

BACK: list[BindingType] = [Binding("escape,q", "leave", "back")]
WAITING = "looking …"
TAIL = 200


class Back(ModalScreen[None]):
    """A view that is left by escape or q."""

    BINDINGS = BACK

    def action_leave(self) -> None:
        """Go back to where it was opened."""
        self.dismiss()


class Lines(Back):
    """Lines of text under a title; what makes them runs in a thread."""

    def __init__(self, title: str, make: Callable[[], list[str]]) -> None:
        super().__init__()
        self.heading, self.make = title, make

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Heading(self.heading)
            yield RichLog(wrap=True, min_width=20, auto_scroll=False)
        yield Footer()

    def on_mount(self) -> None:
        log = self.query_one(RichLog)
        log.focus()
        log.write(WAITING)
        beside(self, self._made, self.show)

    def _made(self) -> list[str]:
        try:
            return self.make()
        except Exception as error:
            return [fault(error).cause, f"  remedy: {fault(error).remedy}"]

    def show(self, lines: list[str]) -> None:
        """Show the lines from the first on."""
        log = self.query_one(RichLog)
        log.clear()
        for line in lines or ["nothing"]:
            log.write(safe(line))


class LogStream:
    """A container's log that goes on, until it is closed."""

    def __init__(self, socket: str, container: str) -> None:
        self.socket, self.container = socket, container
        self._stream: Any = None
        self._is_closed = False

    def lines(self) -> Iterator[str]:
        """Yield the last lines and then each that comes; why there is no log is a line too."""
        import docker  # noqa: PLC0415 (a quarter of a second)

        from console.looking.logs import log_lines  # noqa: PLC0415 (it needs docker)

        client = None
        try:
            client = docker.DockerClient(base_url=f"unix://{self.socket}")
            found = client.containers.get(self.container)
            self._stream = found.logs(stream=True, follow=True, tail=TAIL)
            yield from (line.rstrip("\r") for line in log_lines(self._stream))
            yield "— the log has ended: the container does not run —"
        except docker.errors.NotFound:
            yield f"there is no container {self.container}; c converges and makes it"
        except (docker.errors.DockerException, OSError) as error:
            if not self._is_closed:
                yield f"Docker gives no log: {error}"
        finally:
            if client is not None:
                client.close()

    def close(self) -> None:
        """End the stream, from another thread than the one that reads it."""
        self._is_closed = True
        if self._stream is not None:
            with suppress(OSError):
                self._stream.close()


class Follow(Back):
    """A log that goes on."""

    def __init__(self, title: str, stream: LogStream) -> None:
        super().__init__()
        self.heading, self.stream = title, stream

    def compose(self) -> ComposeResult:
        with Vertical(classes="panel"):
            yield Heading(self.heading)
            yield RichLog(wrap=True, min_width=20, max_lines=5000)
        yield Footer()

    def on_mount(self) -> None:
        self.query_one(RichLog).focus()
        threading.Thread(target=self._read, daemon=True, name="log").start()

    def on_unmount(self) -> None:
        self.stream.close()

    def _read(self) -> None:
        app = self.app
        try:
            for line in self.stream.lines():
                if not is_open(self):
                    return
                tell(app, self._show, line)
        except Exception as error:
            tell(app, self._show, fault(error).cause)

    def _show(self, line: str) -> None:
        if is_open(self):
            self.query_one(RichLog).write(safe(line))
