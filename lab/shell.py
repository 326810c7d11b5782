"""Commands of the machine: run with a time limit, their output in a log file, root where needed."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from lab.errors import LabError
from lab.paths import made_state_folder

TAIL_LINES = 12
MORE_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/local/go/bin")


def as_root(command: Sequence[str]) -> list[str]:
    """Put sudo in front where the user is not root."""
    return list(command) if os.geteuid() == 0 else ["sudo", "-n", *command]


def run(
    command: Sequence[str],
    *,
    timeout: float = 60,
    log: str = "commands",
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    remedy: str = "",
) -> None:
    """Run a command to its end; a failure raises LabError with the last lines of its log."""
    path = made_state_folder("log") / f"{log}.log"
    with path.open("ab") as output:
        output.write(f"$ {' '.join(command)}\n".encode())
        output.flush()
        start = output.tell()
        try:
            code = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=timeout,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                check=False,
            ).returncode
        except FileNotFoundError:
            raise LabError(f"{command[0]} is not installed", remedy or "install it") from None
        except subprocess.TimeoutExpired:
            raise LabError(
                f"`{' '.join(command[:4])} …` took more than {timeout:.0f} s",
                remedy or f"see {path} and run again",
            ) from None
    if code != 0:
        raise LabError(
            f"`{' '.join(command[:4])} …` ended with {code}: {_tail(path, start)}",
            remedy or f"see {path} and run again",
        )


def read(command: Sequence[str], *, timeout: float = 20) -> str:
    """Return what a command prints; "" where it is missing, fails or hangs."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def find(program: str) -> str | None:
    """Return the path of a program, the folders of root's programs included."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *MORE_FOLDERS])
    return shutil.which(program, path=path)


def require_root(why: str) -> None:
    """Fail early where neither root nor sudo without a password is at hand."""
    if os.geteuid() == 0:
        return
    if not read(["sudo", "-n", "id", "-u"]).startswith("0"):
        raise LabError(f"{why} needs root", "run `sudo -v` first, then run again")


def _tail(path: Path, start: int) -> str:
    with path.open("rb") as log:
        log.seek(start)
        lines = log.read().decode(errors="replace").strip().splitlines()
    return " | ".join(line.strip() for line in lines[-TAIL_LINES:])[-800:] or "no output"
