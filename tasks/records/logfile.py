"""A log file that several processes write at once, rotated, its owner's alone to read.

Python's own rotation is for one process: of two that rotate at once one loses its lines. Here the
file itself is locked (flock) while a line is written; whoever waited for a file that was rotated
away meanwhile opens the new one. It is left to its owner and mode, whoever writes it, and a link
stays one. Source: logging.handlers.RotatingFileHandler.
"""

from __future__ import annotations

import errno
import logging
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from tasks.files.atomic import PRIVATE, give_to_owner, make_folder, target
from tasks.files.lock import holder, take

MAX_BYTES, FILES = 1_000_000, 5
# A line is written in microseconds; a run is not kept by its log.
WAIT_SECONDS = 5


class SharedLogFile(RotatingFileHandler):
    """Writes lines to a file that others write as well. An OSError is the writer's to tell."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES, files: int = FILES) -> None:
        super().__init__(
            target(path), maxBytes=max_bytes, backupCount=files - 1, encoding="utf-8", delay=True
        )
        self._is_writing = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line; one of a signal's handler that cut into another line is left out."""
        if self._is_writing:
            return
        self._is_writing = True
        try:
            with self._only_writer():
                super().emit(record)
        finally:
            self._is_writing = False

    def handleError(self, record: logging.LogRecord) -> None:
        """Let the error out; logging by itself would print a traceback."""
        raise  # noqa: PLE0704 (called where the error is being handled)

    def _open(self) -> TextIOWrapper:
        path = Path(self.baseFilename)
        make_folder(path.parent)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC
        try:
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            descriptor = self._made(path, flags | os.O_CREAT)
        return open(descriptor, "a", encoding=self.encoding, errors="backslashreplace")

    def _made(self, path: Path, flags: int) -> int:
        """Make the file: as the one was that a rotation moved away, else its folder's owner's."""
        descriptor = os.open(path, flags, PRIVATE)
        before = Path(f"{path}.1")
        if not before.exists():
            give_to_owner(descriptor, path.parent)
            return descriptor
        old = before.stat()
        with suppress(PermissionError):
            if old.st_uid != os.fstat(descriptor).st_uid:
                os.fchown(descriptor, old.st_uid, old.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & 0o777)
        return descriptor

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        """Hold the lock of the file that has the name now; a rotation closes it, not the lock."""
        stream = self._locked()
        while not self._has_name(stream):
            stream.close()
            stream = self._locked()
        self.stream, lock = stream, os.dup(stream.fileno())
        try:
            yield
        finally:
            # Closed, so that no process keeps a file that another one rotates away.
            if self.stream is not None:
                self.stream.close()
            self.stream = None
            os.close(lock)

    def _locked(self) -> TextIOWrapper:
        stream = self._open()
        if not take(stream.fileno(), WAIT_SECONDS):
            who = holder(stream.fileno())
            stream.close()
            raise OSError(errno.EAGAIN, f"{who} holds its lock", self.baseFilename)
        return stream

    def _has_name(self, stream: TextIOWrapper) -> bool:
        held = os.fstat(stream.fileno())
        try:
            named = os.stat(self.baseFilename)
        except FileNotFoundError:
            return False
        return (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)


class _Utc(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return f"{datetime.fromtimestamp(record.created, UTC):%Y-%m-%dT%H:%M:%SZ}"


_loggers: dict[Path, logging.Logger] = {}


def logger_of(path: Path) -> logging.Logger:
    """Return the logger of a file, one for each file of this process."""
    if path not in _loggers:
        handler = SharedLogFile(path)
        handler.setFormatter(_Utc("%(asctime)s %(levelname)-5s %(message)s"))
        # Not among logging's own: nobody's settings reach it, and it reaches nobody's screen.
        logger = _loggers[path] = logging.Logger("ollama-stack", logging.INFO)
        logger.addHandler(handler)
    return _loggers[path]
