"""The files of this installation: declaration, lock, database, log."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator
from pathlib import Path

from console.checks.finding import CONVERGE, Check, notable, well
from console.checks.looked import Looked
from console.looking.inventory import inventory_now
from tasks.containers.engine import FAILED_LOGS
from tasks.database.database import is_locked, is_up_to_date, unusable
from tasks.declared.layers import rooted, stack_file
from tasks.declared.stack import Stack
from tasks.records.runlog import log_path
from tasks.records.scrub import secrets_in


def declaration_checks(looked: Looked) -> Iterator[Check]:
    """Check the declaration, who may read it, and the lock."""
    stack = looked.stack
    yield well("declaration", f"{len(stack.services)} services are declared")
    yield from secrecy_checks(stack, stack_file())
    fault = looked.lock_and_fault[1]
    if fault is None:
        yield well("lock", f"{stack.lock} can be read")
    else:
        yield Check("lock", False, fault.cause, fault.remedy)


def secrecy_checks(stack: Stack, file: Path) -> Iterator[Check]:
    """Check that nobody else can read a stack.toml with secrets in it."""
    if not file.exists() or not file.stat().st_mode & 0o077 or not has_secrets(stack):
        return
    mode = f"{file.stat().st_mode & 0o777:03o}"
    finding = f"{file.name} holds secrets, and others than its owner may read it (mode {mode})"
    yield Check("stack.toml", False, finding, f"chmod 600 {shlex.quote(str(file))}")


def has_secrets(stack: Stack) -> bool:
    """Tell whether the declaration holds a password or a variable whose name sounds secret."""
    variables = [f"{k}={v}" for s in stack.services for k, v in s.environment.items()]
    held = {"Env": variables, "proxies": [stack.http_proxy, stack.https_proxy]}
    return any(True for _ in secrets_in(held))


def database_checks(looked: Looked) -> Iterator[Check]:
    """Check that the database can be gone on with and tells what is there (faults 34 and 35)."""
    path = rooted(looked.stack.database)
    if is_locked(path):
        told = f"another program is writing into {path.name} now; who waits gets through"
        yield notable("database", told, f"see who, if it never ends: sudo fuser -v {path}")
        return
    reason = unusable(path)
    if reason:
        yield Check("database", False, f"{path.name} is unusable ({reason})", CONVERGE)
    elif not looked.snapshot.version:
        yield well("database", f"{path.name} can be used")
    elif not is_up_to_date(path, inventory_now(looked.stack, looked.snapshot)):
        yield Check("database", False, f"{path.name} is behind", "./main.sh sync brings it up")
    else:
        yield well("database", f"{path.name} tells what is there")


def log_checks(stack: Stack) -> Iterator[Check]:
    """Check that changes can be logged, and tell of logs that failed containers left."""
    path = log_path(stack)
    if path is None:
        yield well("log", "switched off (log_file)")
    elif _can_be_written(path):
        yield well("log", f"changes are written into {path}")
    else:
        remedy = "mend its rights, or declare another log_file"
        yield notable("log", f"{path} cannot be written: changes go unlogged", remedy)
    kept = sorted(failed_logs(rooted(stack.database)), key=lambda file: file.stat().st_mtime)
    if kept:
        yield well("failed containers", f"{len(kept)} logs are kept, the newest in {kept[-1]}")


def failed_logs(database: Path) -> list[Path]:
    """Return the logs, beside the database, of containers that did not work."""
    return sorted((database.parent / FAILED_LOGS).glob("*.log"))


def _can_be_written(path: Path) -> bool:
    if path.exists():
        return path.is_file() and os.access(path, os.W_OK)
    return path.parent.is_dir() and os.access(path.parent, os.W_OK | os.X_OK)
