"""What a killed engine leaves in its own network namespace and folder: ended and unmounted."""

from __future__ import annotations

import signal
import time
from pathlib import Path

from lab.processes import send
from lab.shell import as_root, read, run

END_SECONDS = 10


def end_processes_of(namespace: str) -> None:
    """Kill all processes of one of our network namespaces, and the containers below them."""
    limit = time.monotonic() + END_SECONDS
    while time.monotonic() < limit:
        pids = _pids(namespace)
        if not pids:
            return
        # Containers have namespaces of their own: found as descendants, before these end.
        below = [child for pid in pids for child in _descendants(pid)]
        for found in below + pids:
            send(found, signal.SIGKILL)
        time.sleep(0.1)


def unmount_below(folder: Path) -> None:
    """Unmount everything that is mounted below a folder of ours."""
    lines = Path("/proc/self/mounts").read_text().splitlines()
    targets = [line.split()[1].replace("\\040", " ") for line in lines]
    for target in reversed([path for path in targets if path.startswith(f"{folder}/")]):
        run(as_root(["umount", "--lazy", target]))


def _pids(namespace: str) -> list[int]:
    text = read(as_root(["ip", "netns", "pids", namespace]))
    return [int(word) for word in text.split()]


def _descendants(pid: int) -> list[int]:
    try:
        children = [
            int(word)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for word in (task / "children").read_text().split()
        ]
    except OSError:
        return []
    return [found for child in children for found in [*_descendants(child), child]]
