"""The look at a user of a host: which clients there are, their files, and what we wrote there.

It runs as that user, so that nothing is read, and later written, that is not the user's to read.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tasks.clients import messages
from tasks.clients.limits import LARGEST, LARGEST_RECORD, LARGEST_TOGETHER, MIB, MOST_RECORDS
from tasks.shell.local import Shell
from tasks.shell.output import PRELUDE, number, sections, values
from tasks.words.failures import Failed
from tasks.words.printable import printable

HOME, CONFIG, STATE = "~/", "@config/", "@state/"
# Where programs are that no shell's start-up file brought to PATH.
BIN_FOLDERS = (
    "~/.local/bin",
    "~/bin",
    "~/.npm-global/bin",
    "~/.bun/bin",
    "~/.opencode/bin",
    "~/.local/share/pnpm",
    "~/.nvm/versions/node/*/bin",
    "/usr/local/bin",
    "/snap/bin",
)
MOST_TOGETHER = f"{LARGEST_TOGETHER // MIB} MiB"
Kind = Literal["absent", "file", "folder", "dangling", "other"]

SCRIPT = (
    PRELUDE
    + r"""
home=${HOME-}
config=${XDG_CONFIG_HOME:-$home/.config}
state=@STATE@
state=${state:-${XDG_STATE_HOME:-$home/.local/state}}
echo '##user'
echo "name=$(id -un)"
echo "uid=$(id -u)"
echo "home=$home"
echo "config=$config"
echo "state=$state"
echo '##found'
PATH=$PATH:@PATH@
there() { for one in "$@"; do [ -e "$one" ] || [ -L "$one" ] && return 0; done; return 1; }
has() { command -v "$1" >/dev/null; }
@FOUND@
room=@ROOM@
tell() {
  [ -f "$1" ] && [ -r "$1" ] || return
  text=$(head -c $(($2 + 1)) -- "$1" | base64 -w 0)
  if [ ${#text} -gt $room ]; then echo crowded=yes; return; fi
  room=$((room - ${#text}))
  echo "data=$text"
}
look() {
  echo "##file $1"
  echo "path=$2"
  if [ -f "$2" ]; then kind=file
  elif [ -d "$2" ]; then kind=folder
  elif [ -e "$2" ]; then kind=other
  elif [ -L "$2" ]; then kind=dangling
  else kind=absent; fi
  echo "kind=$kind"
  if [ $kind = absent ]; then
    missing=0
    folder=${2%/*}
    while [ -n "$folder" ] && [ ! -d "$folder" ]; do
      missing=$((missing + 1))
      folder=${folder%/*}
    done
    echo "missing=$missing"
    return
  fi
  real=$(readlink -f -- "$2" 2>/dev/null)
  [ $kind = dangling ] && real=$(readlink -- "$2")
  real=${real:-$2}
  echo "real=$real"
  stat -L -c 'mode=%a
uid=%u
owner=%U
size=%s' -- "$2" 2>/dev/null
  [ -w "$2" ] && echo writable=yes
  folder=${real%/*}
  [ -w "${folder:-/}" ] && echo replaceable=yes
  [ $kind = file ] && [ "$(stat -L -c %s -- "$2")" -le @LARGEST@ ] && tell "$2" @LARGEST@
}
@LOOKS@
count=0
for file in "$state"/ollama-stack/@PREFIX@/*.record; do
  [ -f "$file" ] || continue
  name=${file##*/}
  # None of ours has another name.
  case "$name" in *[!A-Za-z0-9._-]*) continue;; esac
  count=$((count + 1))
  if [ $count -gt @MOST@ ]; then echo '##crowd'; break; fi
  echo "##record ${name%.record}"
  tell "$file" @LARGEST_RECORD@
  # Its first line is the path of what was written.
  path=$(head -c 4096 -- "$file" | head -n 1 | tr -d '\000')
  case "$path" in /*) look "$path" "$path";; esac
done 2>/dev/null
true"""
)


class LookFailed(Failed):
    """The look at a user did not come to its end."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause, messages.SEE_LOGIN())


@dataclass(frozen=True)
class ObservedFile:
    """A file that a client reads. `real` is where a link leads; `content` is None where it was not
    read: there is none, it is too large, this user may not, or what `unread` says. `missing` counts
    the folders above an absent one that are not there."""

    path: str
    real: str
    kind: Kind = "absent"
    mode: int = 0o600
    uid: int = -1
    owner: str = ""
    size: int = 0
    missing: int = 0
    is_writable: bool = False
    is_replaceable: bool = False
    content: bytes | None = None
    unread: str = ""

    @property
    def missing_folders(self) -> tuple[str, ...]:
        """The folders that have to be made for it, the innermost first."""
        found, folder = [], self.path
        for _ in range(min(self.missing, self.path.count("/") - 1)):
            folder = folder.rpartition("/")[0]
            found.append(folder)
        return tuple(found)

    @classmethod
    def from_values(cls, told: Mapping[str, str]) -> ObservedFile:
        """Parse one part of what the script printed."""
        path = told.get("path", "")
        kind = told.get("kind", "absent")
        content, size = _content(told), number(told.get("size"))
        unread = ""
        if "crowded" in told:
            unread = messages.LEFT_UNREAD(limit=MOST_TOGETHER)
        elif content is not None and len(content) != size:
            content, unread = None, messages.READ_IN_PART()
        return cls(
            path=path,
            real=told.get("real", path),
            kind=kind if kind in ("file", "folder", "dangling", "other") else "absent",  # type: ignore[arg-type]
            mode=_mode(told.get("mode", "")),
            uid=number(told.get("uid"), -1),
            owner=told.get("owner", "").replace("UNKNOWN", ""),
            size=size,
            missing=number(told.get("missing")),
            is_writable="writable" in told,
            is_replaceable="replaceable" in told,
            content=content,
            unread=unread,
        )


@dataclass(frozen=True)
class ObservedUser:
    """A user of the host. `found` are the clients that are there, `files` are by place (a path
    that begins with ~/, @config/, @state/ or /), `records` what we wrote down, by document.
    `is_crowded`: there are more records than we ever write, so that not all of them are here."""

    name: str
    uid: int
    home: str
    config: str
    state: str
    found: frozenset[str] = frozenset()
    files: Mapping[str, ObservedFile] = field(default_factory=dict)
    records: Mapping[str, bytes] = field(default_factory=dict)
    is_crowded: bool = False

    def path(self, place: str) -> str:
        """Return the path of a place in this user's folders."""
        for mark, folder in ((HOME, self.home), (CONFIG, self.config), (STATE, self.state)):
            if place.startswith(mark):
                return f"{folder}/{place.removeprefix(mark)}"
        return place


def look(
    shell: Shell,
    found_by: Mapping[str, str],
    places: Iterable[str],
    prefix: str,
    *,
    state: str = "",
) -> ObservedUser | None:
    """Look at the user whose shell this is; None where there is no such user with a home.

    Raises LookFailed where nobody can tell: then nothing of that user's may be changed.
    `found_by` are the tests in shell for each client. The user's own environment tells where home
    and the XDG folders are; `state` is another folder for what we write down.
    """
    said = shell.sh(script(found_by, places, prefix, state=state), timeout=60)
    if not said.ok and (said.stdout or said.stderr):
        raise LookFailed(messages.LOOK_SAID(words=printable(said.last_words, 300)))
    # A name may hold what other lines end with.
    return parse(said.stdout.split("\n"))


def script(
    found_by: Mapping[str, str], places: Iterable[str], prefix: str, *, state: str = ""
) -> str:
    """Build the observing script."""
    tests = "\n".join(f"if {test}; then echo {name}; fi" for name, test in found_by.items())
    looks = "\n".join(f"look {shlex.quote(place)} {in_shell(place)}" for place in places)
    path = ":".join(in_shell(folder) for folder in BIN_FOLDERS if "*" not in folder)
    text = (
        SCRIPT.replace("@STATE@", shlex.quote(state))
        .replace("@PATH@", path)
        .replace("@FOUND@", tests)
        .replace("@LOOKS@", looks)
        .replace("@LARGEST@", str(LARGEST))
        .replace("@LARGEST_RECORD@", str(LARGEST_RECORD))
        .replace("@ROOM@", str(LARGEST_TOGETHER))
        .replace("@MOST@", str(MOST_RECORDS))
        .replace("@PREFIX@", shlex.quote(prefix))
    )
    return f"sh -c {shlex.quote(text)}"


def in_shell(place: str) -> str:
    """Return a place as a word of the script; what stands in brackets of a glob stays one."""
    for mark, variable in ((HOME, '"$home"'), (CONFIG, '"$config"'), (STATE, '"$state"')):
        if place.startswith(mark):
            return f"{variable}/{shlex.quote(place.removeprefix(mark))}"
    return shlex.quote(place)


def parse(lines: Iterable[str]) -> ObservedUser | None:
    """Parse what the script printed."""
    parts = sections(lines)
    told = values(parts.get("user", ()))
    if not told.get("home", "").startswith("/"):
        return None
    files, records = {}, {}
    for name, part in parts.items():
        kind, _, rest = name.partition(" ")
        if kind == "file":
            files[rest] = ObservedFile.from_values(values(part))
        elif kind == "record":
            records[rest] = _content(values(part)) or b""
    return ObservedUser(
        name=told.get("name", ""),
        uid=number(told.get("uid"), -1),
        home=told["home"],
        config=told["config"],
        state=told["state"],
        found=frozenset(word for line in parts.get("found", ()) for word in line.split()),
        files=files,
        records=records,
        is_crowded="crowd" in parts,
    )


def _content(told: Mapping[str, str]) -> bytes | None:
    try:
        return base64.b64decode(told["data"], validate=True) if "data" in told else None
    except (binascii.Error, ValueError):
        return None


def _mode(text: str) -> int:
    return int(text, 8) if re.fullmatch("[0-7]{1,4}", text) else 0o600
