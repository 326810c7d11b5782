"""One file of a user, written so that nothing is lost: the record first, each file whole or not."""

from __future__ import annotations

import base64
import shlex

from tasks.clients import messages
from tasks.clients.look import ObservedUser
from tasks.clients.outcome import FileChange
from tasks.shell.local import Shell
from tasks.words.failures import StepFailed
from tasks.words.printable import printable

IS_CHANGED = 3
# Content and record come by standard input, where no list of processes shows them. A kill leaves at
# worst the record of something that is not there, which the next run writes.
SCRIPT = r"""
read -r content
read -r record
path=@PATH@
noted=@NOTED@
backup=@BACKUP@
sum() {
  if [ -f "$1" ]; then sha256sum <"$1" | cut -d' ' -f1
  elif [ -e "$1" ] || [ -L "$1" ]; then echo other; fi
}
put() {
  folder=${1%/*}
  mkdir -p "$folder" && made=$(mktemp "$folder/.ollama-stack.XXXXXX") || exit 1
  printf %s "$3" | base64 -d >"$made" && chmod "$2" "$made" && sync "$made" &&
    mv -f "$made" "$1" && return
  rm -f "$made"
  exit 1
}
[ "$(sum "$path")" = "@BEFORE@" ] || exit @IS_CHANGED@
@WORK@
"""
WRITE = r"""
umask 077
mkdir -p "${noted%/*}" || exit 1
if [ -n "$backup" ]; then cp "$path" "$backup" || exit 1; fi
put "$noted" 600 "$record"
umask 022
put "$path" @MODE@ "$content"
"""
TAKE_OUT = r"""
umask 022
if [ "$content" = - ]; then rm -f "$path" || exit 1; else put "$path" @MODE@ "$content"; fi
rm -f "$noted" || exit 1
[ -z "$backup" ] || rm -f "$backup"
[ -e "$path" ] || rmdir @FOLDERS@ 2>/dev/null
rmdir "${noted%/*}" 2>/dev/null
true
"""


def folder_of(user: ObservedUser, prefix: str) -> str:
    """Return where we write down what is ours of a user's files."""
    return f"{user.state}/ollama-stack/{prefix}"


def apply(shell: Shell, user: ObservedUser, prefix: str, change: FileChange) -> None:
    """Write one file as its user. Raises StepFailed."""
    content = _encoded(change.after)
    record = _encoded(change.record.to_bytes() if change.record is not None else None)
    said = shell.sh(script(user, prefix, change), stdin=f"{content}\n{record}\n")
    if said.ok:
        return
    if f"{IS_CHANGED}" == said.last_words:
        raise StepFailed(messages.CHANGED_MEANWHILE(where=change.shown), messages.RUN_IT_AGAIN())
    words = printable(said.last_words, 300)
    cause = messages.NOT_WRITTEN(where=change.shown, words=words)
    raise StepFailed(cause, messages.MEND_RUN_AGAIN())


def script(user: ObservedUser, prefix: str, change: FileChange) -> str:
    """Build what writes one file."""
    folder = folder_of(user, prefix)
    # A copy is made of what was nobody's but the user's, and goes once that is back.
    copies = change.backs_up or (change.record is None and change.is_as_before)
    backup = f"{folder}/{change.name}.backup" if copies else ""
    work = WRITE if change.record is not None else TAKE_OUT
    text = (
        SCRIPT.replace("@WORK@", work)
        .replace("@PATH@", shlex.quote(change.path))
        .replace("@NOTED@", shlex.quote(f"{folder}/{change.name}.record"))
        .replace("@BACKUP@", shlex.quote(backup))
        .replace("@BEFORE@", change.before)
        .replace("@MODE@", f"{change.mode:o}")
        .replace("@FOLDERS@", shlex.join(change.folders) or "/nowhere")
        .replace("exit @IS_CHANGED@", f"{{ echo {IS_CHANGED} >&2; exit 1; }}")
    )
    return f"sh -c {shlex.quote(text)}"


def _encoded(content: bytes | None) -> str:
    return base64.b64encode(content).decode() if content is not None else "-"
