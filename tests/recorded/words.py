"""What is another in each run, by a name: times, durations, processes, folders, ids.

Ports and prefixes are the same in each run, so that nothing has to be left out of them.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping

RULES: tuple[tuple[str, str], ...] = (
    (r"\b\d{8}T\d{6}Z-\d+\b", "<run>"),
    (r"\b\d{8}T\d{6}Z\b", "<time>"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d| UTC)?", "<time>"),
    (r"\bPID \d+ \(.*\) listens", "PID <n> (<program>) listens"),
    (r"\bkill \d+", "kill <n>"),
    (r"/PRODUCT/\S+\.py line \d+", "<line of the product>"),
    (r"\bPID \d+ of [\w-]+", "PID <n> of <user>"),
    (r"\bPID \d+", "PID <n>"),
    (r"\b([\w-]+ of )[\w-]+(?=: ~)", r"\1<user>"),
    # What the doctor finds of who runs it and of this machine's certificates.
    (r"(?m)^( *. user: ).*", r"\1<user>"),
    (r'("what": "user",\s+"is_well": true,\s+"finding": )".*"', r'\1"<user>"'),
    (r"(?m)^ *! CA certificate: this host trusts .*\n +remedy: .*\n", ""),
    (r' *\{\s+"what": "CA certificate",[^}]+\},\n', ""),
    # Told of steps that take a second or longer.
    (r"(?m)^ *\[[^]]+\]   done in \d+\.\d s\n", ""),
    (r"(?<=did not answer for )\d+\.\d s", "<seconds>"),
    (r"\b\d+(\.\d)? [kMGT]?B (?=are free\b)", "<size> "),
    (r"(?<=bundle\.tar\.gz: )\d+(\.\d)? [kMGT]?B", "<size>"),
)


def of_this_machine() -> dict[str, str]:
    """Return what only this machine says of itself, by what stands for it."""
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    return {system: "<system>", platform.node(): "<host>"}


def plain(text: str, names: Mapping[str, str]) -> str:
    """Put names for what is another in each run; the longest are looked for first."""
    for word in sorted(filter(None, names), key=len, reverse=True):
        text = text.replace(word, names[word])
    for pattern, name in RULES:
        text = re.sub(pattern, name, text)
    return text


def lines(text: str, indent: str = "    ") -> Iterable[str]:
    """Return the lines of a text, without white space at their ends: people could not see it."""
    return [f"{indent}{line}".rstrip() for line in text.splitlines()]
