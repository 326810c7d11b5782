"""The lock of a host as a process holds it."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from tasks.run import hostlock

PREFIX = "unit-test-"


def hold(who: str, mark: str = hostlock.TOKEN) -> subprocess.Popen[str]:
    """Begin to hold it."""
    script = hostlock.holder_script(PREFIX, who, 0, mark)
    return subprocess.Popen(
        ["sh", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def who_has_it() -> Path:
    """Return the file that tells who had it last."""
    return Path(hostlock.who_path(PREFIX))


def wait_for(path: Path, who: str) -> None:
    """Wait until a file begins with these words."""
    for _ in range(500):
        if path.exists() and path.read_text().startswith(who):
            return
        time.sleep(0.01)
    raise AssertionError(f"{who} never got the lock")


def ends_with(process: subprocess.Popen[str]) -> int:
    """Wait for the end of a process; returns its status."""
    return process.wait(timeout=20)


def shown() -> str:
    """Return who is shown to be at work."""
    script = hostlock.look_script(PREFIX)
    done = subprocess.run(["sh", "-c", script], text=True, capture_output=True, check=True)
    return hostlock.at_work(done.stdout)
