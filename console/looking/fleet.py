"""The hosts of an inventory, looked at together: pyinfra goes there, the same parsers read it."""

from __future__ import annotations

import os
import shlex
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from runpy import run_path
from typing import Any

from console.looking.host import PYINFRA, SeenHost, lock_and_words, this_machine
from console.words.trouble import Trouble
from tasks.containers.parse import parse
from tasks.declared.layers import ROOT
from tasks.declared.stack import Stack
from tasks.run.host_looks import LOOKS, HostLook, read
from tasks.shell.local import TRACE
from tasks.words.printable import printable
from tasks.words.steps import LOCAL

INVENTORY = ROOT / "inventory.py"
LIMIT_SECONDS = 300


class FleetError(Exception):
    """Nobody could look at any host."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble


def groups_in(path: Path) -> dict[str, list[str]]:
    """Return the hosts of an inventory file by group, as pyinfra finds them. Raises FleetError.

    Source: docs.pyinfra.com, Inventory & Data: lists, or (list, data), of names or (name, data).
    """
    if not path.exists():
        raise FleetError(Trouble(f"there is no inventory {path}", "name another: --inventory FILE"))
    try:
        values = run_path(str(path))
    except (Exception, SystemExit) as error:
        cause = f"{path.name} cannot be loaded: {type(error).__name__}: {error}"
        raise FleetError(Trouble(cause, "mend it, or name another: --inventory FILE")) from None
    return {name: _members(value) for name, value in values.items() if not name.startswith("_")}


def hosts_in(path: Path) -> set[str]:
    """Return the names of all hosts in an inventory file. Raises FleetError."""
    return {name for members in groups_in(path).values() for name in members}


def _members(value: Any) -> list[str]:
    if isinstance(value, tuple) and value:
        value = value[0]
    members = value if isinstance(value, list) else []
    names = [member[0] if isinstance(member, tuple) else member for member in members]
    return names if all(isinstance(name, str) for name in names) else []


def check_limits(path: Path, limits: Iterable[str]) -> None:
    """See that every limit names a host or a group. Raises FleetError."""
    groups = groups_in(path)
    hosts = {name for members in groups.values() for name in members}
    for limit in limits:
        if "*" not in limit and limit not in hosts | groups.keys():
            there = ", ".join(sorted(hosts))
            cause = f"{path.name} has no host or group {limit!r}"
            raise FleetError(Trouble(cause, f"its hosts are: {there}"))


def is_this_machine(path: Path, limits: Iterable[str]) -> bool:
    """Tell whether an inventory names this machine alone, so that nobody else need be asked."""
    return not tuple(limits) and hosts_in(path) <= {LOCAL}


def hosts_now(inventory: Path | None, limits: Iterable[str]) -> tuple[list[SeenHost], bool]:
    """Look at every host of an inventory; tells also whether that is this machine alone.

    Raises FleetError, DeclarationError.
    """
    path = (inventory or INVENTORY).absolute()
    if not is_this_machine(path, limits):
        return look_at(path, limits), False
    here = this_machine()
    if here.trouble is not None:
        raise FleetError(here.trouble)
    return [here], True


def look_at(path: Path, limits: Iterable[str]) -> list[SeenHost]:
    """Look at all hosts of an inventory at once. Raises FleetError."""
    limits = tuple(limits)
    check_limits(path, limits)
    with tempfile.TemporaryDirectory(prefix="ollama-stack-") as folder:
        found = Path(folder) / "looks.json"
        found.touch(mode=0o600)
        words = [*PYINFRA, "-y", str(path), "deploys/look.py"]
        words += [word for limit in limits for word in ("--limit", limit)]
        said = _run(words, found)
        looks = read(found)
    if not looks:
        raise FleetError(Trouble(_last_words(said), f"{shlex.join(words)} shows all of it"))
    return [seen(name, look) for name, look in sorted(looks.items())]


def _run(words: list[str], found: Path) -> str:
    TRACE.debug("runs %s", shlex.join(words))
    try:
        done = subprocess.run(
            words,
            cwd=ROOT,
            env={**os.environ, LOOKS: str(found), "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        cause = f"the hosts did not answer within {LIMIT_SECONDS} s"
        raise FleetError(Trouble(cause, "leave the silent one out: --limit HOST")) from None
    return f"{done.stdout}\n{done.stderr}"


def _last_words(said: str) -> str:
    """Return the last paragraph of what pyinfra said."""
    paragraph = said.rstrip().split("\n\n")[-1]
    return "; ".join(line.strip() for line in paragraph.splitlines() if line.strip())


def seen(name: str, look: HostLook) -> SeenHost:
    """Make one host of what was brought back from it."""
    try:
        stack = Stack.model_validate_json(look.declared) if look.declared else None
    except ValueError as error:
        cause = f"what came back from {name} is no declaration: {printable(error, 200)}"
        return SeenHost(name, trouble=Trouble(cause, "run again; ./main.sh -v status shows more"))
    if stack is None or look.cause:
        return SeenHost(name, stack, trouble=Trouble(look.cause, look.remedy))
    snapshot = parse(stack, look.output)
    trouble = None if snapshot.version else silent_engine(name, stack.docker_socket)
    if trouble is not None and "" in snapshot.unknown:
        trouble = Trouble(f"{trouble.cause}: {snapshot.unknown['']}", trouble.remedy)
    return SeenHost(name, stack, snapshot, *lock_and_words(stack), trouble)


def silent_engine(name: str, socket: str) -> Trouble:
    """Say why there is nothing to see on a host that could be reached."""
    return Trouble(
        f"Docker does not answer at {socket}",
        f"pyinfra … deploys/stack.py --limit {name} installs or starts it, or tells what is wrong",
    )
