"""apt-get without questions: commands, who holds its locks, and its errors in other words. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from tasks.apt import messages
from tasks.shell.output import PRELUDE
from tasks.words.failures import Failure
from tasks.words.messages import Text

LOCKS = (
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/apt/lists/lock",
    "/var/cache/apt/archives/lock",
)
LOCK_SECONDS = 120
# needrestart would restart services of others after an installation.
ENVIRONMENT = (
    f"{PRELUDE} DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none"
)
OPTIONS = (
    "-y",
    "-q",
    "-o",
    f"DPkg::Lock::Timeout={LOCK_SECONDS}",
    "-o",
    "Dpkg::Options::=--force-confdef",
    "-o",
    "Dpkg::Options::=--force-confold",
    "-o",
    "Acquire::Retries=1",
    "-o",
    "Acquire::http::Timeout=20",
    "-o",
    "Acquire::https::Timeout=20",
)
# The kernel shows who holds a lock; the holder's own list of files proves that it is this one.
HOLDERS_SCRIPT = (
    PRELUDE
    + r"""
for file in """
    + " ".join(LOCKS)
    + r"""; do
  inode=$(stat -c %i "$file" 2>/dev/null) || continue
  for pid in $(awk -v "inode=$inode" '{ n = split($6, at, ":"); if (at[n] == inode) print $5 }' \
      /proc/locks 2>/dev/null); do
    find "/proc/$pid/fd" -lname "$file" 2>/dev/null | grep -q . || continue
    echo "$pid $file $(tr '\0' ' ' </proc/$pid/cmdline 2>/dev/null | cut -c 1-120 \
      | tr -c '\11\12\40-\176' '?')"
  done
done
true"""
)
# Three lines on standard input, empty where none is declared (what the shell has then stays):
# proxies hold passwords, so no argument names them.
READ_PROXIES = """for name in http_proxy https_proxy no_proxy; do
  IFS= read -r value; [ -z "$value" ] || export "$name=$value"
done"""


@dataclass(frozen=True)
class LockHolder:
    """A process that holds a lock of apt or dpkg."""

    pid: int
    path: str
    command: str

    def __str__(self) -> str:
        return f"PID {self.pid} ({self.command or 'unknown command'}) holds {self.path}"


def lock_holders(lines: Iterable[str]) -> tuple[LockHolder, ...]:
    """Parse what HOLDERS_SCRIPT printed: "PID PATH COMMAND"; one entry for each process."""
    found: dict[int, LockHolder] = {}
    for line in lines:
        pid, _, rest = line.partition(" ")
        path, _, command = rest.partition(" ")
        if pid.isdecimal() and path in LOCKS:
            found.setdefault(int(pid), LockHolder(int(pid), path, command.strip()))
    return tuple(found.values())


def apt_get(command: str, *words: str, options: Iterable[str] = ()) -> str:
    """Build an apt-get command line."""
    return shlex.join(["apt-get", *OPTIONS, *options, command, *words])


def script(*commands: str) -> str:
    """Join commands to a script that ends at the first that fails; proxies come on its stdin."""
    return "\n".join([ENVIRONMENT, READ_PROXIES, "set -e", *commands])


_INTERRUPTED = "dpkg was interrupted"
_SPACE = re.compile(r"no space left|don't have enough free space", re.I)
_LOCKED = re.compile(
    r"could not get lock (\S+?)\.? It is held by process (\d+)(?: \(([^)]*)\))?", re.I
)
_MISSING = re.compile(r"(?:unable to locate package|has no installation candidate).*", re.I)
_UNREACHABLE = re.compile(
    r"could not resolve|could not connect|connection timed out|connection refused|"
    r"temporary failure",
    re.I,
)
_NO_SUITE = re.compile(r"does not have a release file", re.I)
_NO_ANSWER = re.compile(r"failed to fetch", re.I)
_NO_FILE = re.compile(r"failed to fetch \S+\s+404", re.I)
_UNSIGNED = re.compile(r"NO_PUBKEY|is not signed|invalid signature|EXPKEYSIG|BADSIG", re.I)
_REMOVAL = re.compile(r"packages need to be removed but remove is disabled", re.I)
_REMOVED = re.compile(r"^The following packages will be REMOVED:\n((?: .*\n?)+)", re.M)
_UNMET = re.compile(r"unmet dependencies|held broken packages", re.I)


def is_unsigned(output: str) -> bool:
    """Tell whether apt met a signature that the key it has does not explain."""
    return _UNSIGNED.search(output) is not None


def explain(output: str) -> Failure:
    """Return why apt-get failed, from what it said, and what to do."""
    return Failure("", *_explained(output, first_error(output)))


def _explained(output: str, said: str) -> tuple[Text, Text]:
    if _INTERRUPTED in output:
        return messages.INTERRUPTED(), messages.CONFIGURE()
    if match := _LOCKED.search(output):
        command = messages.COMMAND(words=match[3]) if match[3] else ""
        cause = messages.LOCKED(pid=match[2], command=command, path=match[1])
        return cause, locked_remedy(int(match[2]))
    if _SPACE.search(output):
        return messages.DISK_FULL(said=said), messages.MAKE_ROOM()
    if _UNSIGNED.search(output):
        return messages.UNSIGNED(said=said), messages.ASK()
    if _REMOVAL.search(output):
        found = _REMOVED.search(output)
        names = messages.NAMES(names=" ".join(found[1].split())) if found else ""
        return messages.WOULD_REMOVE(names=names), messages.REMOVE_BY_HAND()
    if _MISSING.search(output):
        return messages.NO_PACKAGE(said=said), messages.NAME_SOURCE()
    if _UNREACHABLE.search(output):
        return messages.UNREACHABLE(said=said), messages.MAKE_REACHABLE()
    if _NO_SUITE.search(output):
        return messages.NO_SUITE(said=said), messages.NAME_OTHER()
    if _NO_FILE.search(output):
        return messages.NO_FILE(said=said), messages.ASK_LATER(ask=messages.ASK())
    if _NO_ANSWER.search(output):
        return messages.UNREADABLE(said=said), messages.UPDATE()
    if _UNMET.search(output):
        return messages.UNMET(said=said), messages.FIX()
    return messages.OTHER(said=said), messages.READ_UPDATE()


def locked_remedy(pid: int) -> Text:
    """Say what to do about a held lock: wait, and never delete it."""
    return messages.WAIT_FOR_LOCK(pid=pid)


def first_error(output: str) -> str:
    """Return apt's first error ("E: …"), without credentials in addresses; else its last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "dpkg: error"))]
    chosen = (errors or lines[-1:] or ["it said nothing"])[0]
    return without_password(chosen.removeprefix("E:").strip())


def without_password(text: str) -> str:
    """Hide what stands between "://" and "@"."""
    return re.sub(r"://[^/\s@]+@", "://…@", text)
