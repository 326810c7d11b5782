"""Run commands with no network but loopback, behind which only named ports of the machine answer.

The commands live in a network namespace of their own. Listening sockets are made inside and handed
out; what they accept is carried to the same ports out here. A client that calls anything else
finds no route and no name, as on a machine without internet.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.errors import LabError

HOST = "127.0.0.1"
START_SECONDS = 20
_CHUNK = 65536
_HOLDER = Path(__file__).with_name("offline_holder.py")


@contextmanager
def only(ports: Sequence[int]) -> Iterator[list[str]]:
    """Yield the words to put before a command that shall reach only these ports of 127.0.0.1."""
    ours, theirs = socket.socketpair()
    listeners: list[socket.socket] = []
    with ours:
        ours.settimeout(START_SECONDS)
        with theirs:
            holder = _start(theirs, ports)
        try:
            listeners = _received(ours, holder, len(ports))
            for port, listener in zip(ports, listeners, strict=True):
                threading.Thread(target=_serve, args=(listener, port), daemon=True).start()
            yield _enter(holder.pid)
        finally:
            for listener in listeners:
                # It ends the thread that waits there; an open one would keep the namespace.
                listener.shutdown(socket.SHUT_RDWR)
            holder.terminate()
            holder.wait(START_SECONDS)


def _start(theirs: socket.socket, ports: Sequence[int]) -> subprocess.Popen[bytes]:
    number = str(theirs.fileno())
    return subprocess.Popen(
        [*_unshare(), sys.executable, str(_HOLDER), number, *map(str, ports)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        pass_fds=[theirs.fileno()],
    )


def _unshare() -> list[str]:
    # Who is not root becomes root of a user namespace, where the kernel allows it.
    return ["unshare", "--net", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--"]


def _enter(pid: int) -> list[str]:
    user = [] if os.geteuid() == 0 else ["--user", "--preserve-credentials"]
    return ["nsenter", *user, f"--target={pid}", "--net", "--"]


def _received(
    ours: socket.socket, holder: subprocess.Popen[bytes], count: int
) -> list[socket.socket]:
    """Take the listening sockets that the holder made inside."""
    with suppress(TimeoutError):
        _, descriptors, _, _ = socket.recv_fds(ours, 1, count)
        if len(descriptors) == count:
            return [socket.socket(fileno=descriptor) for descriptor in descriptors]
    holder.terminate()
    said = (holder.communicate()[1] or b"").decode(errors="replace").strip().splitlines()
    raise LabError(
        f"no network namespace could be made: {said[-1] if said else 'no answer'}",
        "run as root, with unshare, nsenter (util-linux) and ip (iproute2) installed",
    )


def _serve(listener: socket.socket, port: int) -> None:
    with listener, suppress(OSError):
        while True:
            inside, _ = listener.accept()
            try:
                outside = socket.create_connection((HOST, port))
            except OSError:
                inside.close()
                continue
            threading.Thread(target=_join, args=(inside, outside), daemon=True).start()


def _join(inside: socket.socket, outside: socket.socket) -> None:
    with inside, outside:
        back = threading.Thread(target=_carry, args=(outside, inside), daemon=True)
        back.start()
        _carry(inside, outside)
        back.join()


def _carry(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
