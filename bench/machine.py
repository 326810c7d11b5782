"""The machine in words: what the numbers depend on, and nothing that names it."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from bench.tools import ANSIBLE
from lab.shell import read
from tests.stack.installation import Installation


def description(installation: Installation, compose_words: Sequence[str]) -> list[str]:
    """Return lines that describe the machine and the versions."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    engine = installation.client.version()["Version"]
    tools = [f"pyinfra {version('pyinfra')}", *(p.replace("==", " ") for p in ANSIBLE[:2])]
    if compose_words:
        tools.append(f"Compose {read([*compose_words, 'version', '--short']).strip()}")
    return [
        f"{os.cpu_count()} cores{_processor()}, {system},"
        f" Python {platform.python_version()} for all, Docker Engine {engine}",
        ", ".join(tools),
    ]


def load() -> float:
    """Return the load average of the last minute."""
    return os.getloadavg()[0]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    return f" ({name})" if name else ""
