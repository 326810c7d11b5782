"""What the runs on all hosts of one process share. It is made once, and handed in."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tasks.records.lockfile import LockFile
from tasks.run.host_looks import HostLook
from tasks.run.run import Run
from tasks.shell.host_shell import Pending
from tasks.shell.local import Result
from tasks.words.failures import Failure

RUN_ID = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}"


@dataclass(frozen=True)
class Holder:
    """What holds the lock of a host: the process there, which is waited for here, and its mark."""

    process: Pending[Result]
    mark: str


@dataclass
class Session:
    """The hosts of this process, by name.

    `halted` are those where a move of a service failed; `questions` what registries are asked
    beside a run, `offered` what they offered first; `looks` what was brought back of hosts for the
    console; `said` pyinfra's words of hosts that it could not reach; `silent` tells of hosts that
    have no run.
    """

    runs: dict[str, Run] = field(default_factory=dict)
    locks: dict[Path, LockFile] = field(default_factory=dict)
    holders: dict[str, Holder] = field(default_factory=dict)
    questions: dict[str, Pending[None]] = field(default_factory=dict)
    halted: set[str] = field(default_factory=set)
    looks: dict[str, HostLook] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    offered: dict[str, Any] = field(default_factory=dict)
    silent: Callable[[], Mapping[str, list[Failure]]] = dict

    def lock(self, path: Path) -> LockFile:
        """Return the lock, one for all hosts: what one proves, the next ones take.

        Raises LockError.
        """
        if path not in self.locks:
            self.locks[path] = LockFile.load(path)
        return self.locks[path]

    def end(self, how: str = "") -> None:
        """Write down in the logs how the runs ended; by itself: done or failed."""
        for run in self.runs.values():
            if run.teller.record is not None:
                run.teller.record.end(how)


SESSION = Session()
