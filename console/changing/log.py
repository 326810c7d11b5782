"""What the console itself changes, as lines of the same log as the runs'."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import Any

from console.looking.host import declared
from console.say import show
from tasks.declared.stack import DeclarationError, Stack
from tasks.records.runlog import LogFile
from tasks.records.scrub import MASK


def typed_words() -> str:
    """Return what a person typed."""
    return shlex.join(["main.sh", *sys.argv[1:]])


def _warn(text: str) -> None:
    show(text, err=True)


def console_log(stack: Stack) -> LogFile:
    """Return the log of this console."""
    return LogFile(stack, "console", _warn)


def note(text: str) -> None:
    """Write down what a verb changed; an invalid declaration names no log."""
    try:
        stack = declared()
    except DeclarationError:
        return
    console_log(stack).write(f"{typed_words()}: {text}")


def edit_text(path: tuple[str, ...], value: Any) -> str:
    """Return an edit of stack.toml as words; what may hold a secret is masked."""
    key = ".".join(path)
    if value is None:
        return f"no {key}"
    is_private = "environment" in path or path[-1].endswith("_proxy")
    return f"{key} = {MASK if is_private else repr(value)}"


def note_edits(file: str, edits: Mapping[tuple[str, ...], Any]) -> None:
    """Write down what was edited in stack.toml."""
    for path, value in edits.items():
        note(f"{file} declares {edit_text(path, value)}")
