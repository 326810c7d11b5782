"""A verb that changes things, at work: its runs of pyinfra, and at the end what came of them."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import tomlkit

from console.changing.log import typed_words
from console.changing.stack_toml import Declaration, Edits
from console.looking.host import PYINFRA, this_machine
from console.looking.status import statuses
from console.say import INTERRUPTED, say, speech, tell
from tasks.declared.layers import ROOT
from tasks.records.journal import JOURNAL, read
from tasks.records.runlog import TYPED
from tasks.shell.local import TRACE

# What a line of the journal is called in the document, and which of its keys it has there.
STEP = ("service", "action", "subject", "why")
LISTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "planned": ("planned", STEP),
    "change": ("changes", ("at", *STEP)),
    "failure": ("failures", ("service", "what", "cause", "remedy")),
}


@dataclass
class Doing:
    """One verb at work. `journal` is there where a program asked what came of it."""

    verb: str
    is_dry: bool = False
    journal: Path | None = None
    edits: dict[tuple[str, ...], Any] = field(default_factory=dict)
    are_edits_undone: bool = False

    def tell(self, declaration: Declaration, edits: Edits) -> None:
        """Say what is edited: the file is the person's."""
        self.edits |= edits
        for path, value in edits.items():
            doing = "would declare" if self.is_dry else "declares"
            key = ".".join(path)
            shown = tomlkit.item(value).as_string() if value is not None else ""
            say(f"{declaration.path.name} {doing} {f'{key} = {shown}' if shown else f'no {key}'}")

    def run(self, deploy: str, data: Iterable[str], *, say_yes: bool, file: Path) -> int:
        """Run a deploy on this machine, its output where ours goes; returns its exit status."""
        words = [*PYINFRA, "@local", f"deploys/{deploy}.py"]
        if self.is_dry:
            words.append("--dry")
        elif say_yes or not sys.stdin.isatty():
            words.append("-y")
        for pair in data:
            words += ["--data", pair]
        environment = {**os.environ, TYPED: typed_words()}
        if file.exists():
            environment["STACK_FILE"] = str(file.absolute())
        output = None
        if self.journal is not None:
            environment[JOURNAL] = str(self.journal)
            # stdout is for the one document alone.
            output = sys.stderr.fileno()
        TRACE.debug("runs %s", shlex.join(words))
        begun = time.monotonic()
        done = subprocess.run(words, cwd=ROOT, env=environment, stdout=output, check=False)
        status = done.returncode
        TRACE.debug("it ended with %d after %.1f s", status, time.monotonic() - begun)
        return status if status >= 0 else 128 - status

    def document(self, status: int) -> dict[str, Any]:
        """Return what came of it, for programs: see docs/json.md."""
        lists = told(list(read(self.journal)) if self.journal and self.journal.exists() else [])
        if 0 < status < 128 and not lists["failures"]:
            lists["failures"].append(_unnamed(status))
        edits = [{"key": ".".join(path), "value": value} for path, value in self.edits.items()]
        rows = statuses([this_machine()])[0].rows
        return {
            "verb": self.verb,
            "outcome": self.outcome(status, lists),
            "status": status,
            "dry": self.is_dry,
            "edits": edits,
            "edits_undone": self.are_edits_undone,
            **lists,
            "services": [row.as_json() for row in rows],
        }

    def outcome(self, status: int, lists: Mapping[str, list[Any]]) -> str:
        """Name in a word or two how it ended."""
        if status:
            return "interrupted" if status >= 128 else "failed"
        if self.is_dry:
            return "planned" if self.edits or lists["planned"] else "no change"
        return "done" if self.edits or lists["changes"] else "no change"


def told(lines: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Sort the lines of a journal into the lists of the document."""
    found: dict[str, list[Any]] = {name: [] for name, _ in LISTS.values()} | {"notes": []}
    for line in lines:
        if line["kind"] == "note":
            found["notes"].append(line["text"])
        else:
            name, keys = LISTS[line["kind"]]
            found[name].append({key: line.get(key, "") for key in keys})
    return found


def _unnamed(status: int) -> dict[str, str]:
    return {
        "service": "",
        "what": "the run failed",
        "cause": f"pyinfra ended with {status}",
        "remedy": "its output is on standard error",
    }


def do(verb: str, act: Callable[[Doing], int], *, is_dry: bool) -> NoReturn:
    """Do what a verb does, and end with its status; for a program with one document."""
    if not speech().as_json:
        sys.exit(act(Doing(verb, is_dry)))
    with tempfile.TemporaryDirectory(prefix="ollama-stack-") as folder:
        doing = Doing(verb, is_dry, Path(folder) / "journal")
        try:
            status = act(doing)
        except KeyboardInterrupt:
            status = INTERRUPTED
        tell(doing.document(status))
    sys.exit(status)
