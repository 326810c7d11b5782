"""Run inside the namespace, as a program of its own: `offline_holder.py DESCRIPTOR PORT…`."""

from __future__ import annotations

import socket
import subprocess
import sys


def hold(descriptor: int, ports: list[int]) -> None:
    """Bring loopback up, hand out a listening socket for each port, and stay until the end."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    listeners = []
    for port in ports:
        listener = socket.create_server(("127.0.0.1", port), backlog=64)
        listeners.append(listener)
    with socket.socket(fileno=descriptor) as out:
        socket.send_fds(out, [b"+"], [listener.fileno() for listener in listeners])
        # It lives as long as the one who started it.
        out.recv(1)


if __name__ == "__main__":
    hold(int(sys.argv[1]), [int(word) for word in sys.argv[2:]])
