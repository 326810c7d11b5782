"""The last lines of a whole run: its failures, each cause with its remedy."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from tasks.run.session import SESSION, Session
from tasks.words.failures import Failure
from tasks.words.printable import printable


def print_failures_last() -> None:
    """See to it that the last lines of the whole run are its failures with their remedies."""
    atexit.unregister(_print_failures)
    atexit.register(_print_failures, SESSION)


def _print_failures(session: Session) -> None:
    silent = session.silent()
    _write_down(session, silent)
    session.end()
    found = {name: run.teller.failures for name, run in session.runs.items()} | dict(silent)
    for host, failures in sorted(found.items()):
        for line in last_words(host, failures):
            print(line, file=sys.stderr)


def _write_down(session: Session, silent: Mapping[str, Sequence[Failure]]) -> None:
    """Let the log of a run that this process made tell of the hosts that have none."""
    records = (run.teller.record for run in session.runs.values())
    record = next((record for record in records if record is not None), None)
    for host, failures in silent.items():
        if record is not None:
            for failure in failures:
                record.failed(replace(failure, what=f"{host}: {failure.what}"))


def last_words(host: str, failures: Sequence[Failure]) -> list[str]:
    """Return the lines that end a run: what failed on a host, each cause with its remedy once."""
    if not failures:
        return []
    count = "1 failure" if len(failures) == 1 else f"{len(failures)} failures"
    by_cause: dict[tuple[str, str], list[Failure]] = {}
    for failure in failures:
        by_cause.setdefault((failure.cause, failure.remedy), []).append(failure)
    lines = []
    for same in by_cause.values():
        *heads, last = [failure.lines() for failure in same]
        lines += [*(head[0] for head in heads), *last]
    return ["", f"{count} on {printable(host)}:", *(f"  {line}" for line in lines)]
