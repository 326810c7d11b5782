"""Whether a user may read and write a file, and else why it is left alone. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace

from tasks.clients.limits import KIB, LARGEST
from tasks.clients.look import ObservedFile, ObservedUser
from tasks.clients.outcome import Refused, shown
from tasks.words.printable import printable

ROOT = "root"


def content_of(user: ObservedUser, file: ObservedFile) -> bytes | None:
    """Return what a file holds, None where there is none. Raises Refused where nobody can tell."""
    where = shown(user, file.path)
    if file.kind == "absent":
        return None
    if file.kind == "dangling":
        target = shown(user, file.real)
        raise Refused(f"{where} is a link to {target}, which is not there", "mend or remove it")
    if file.kind != "file":
        kind = "a folder" if file.kind == "folder" else "no ordinary file"
        raise Refused(f"{where} is {kind}", "move it away")
    if file.size > LARGEST:
        raise Refused(f"{where} is larger than {LARGEST // KIB} KiB", "make it smaller")
    if file.unread:
        raise Refused(f"{where} {file.unread}", "mend that, then run it again")
    if file.content is None:
        raise Refused(f"{user.name} may not read {where}", _give_back(user, file))
    return file.content


def _give_back(user: ObservedUser, file: ObservedFile) -> str:
    """Return the remedy; no command for what a link, or a record, of the user's leads to outside.

    Else a user could have root give away any file.
    """
    real, name = printable(shlex.quote(file.real)), shlex.quote(user.name)
    if file.uid == user.uid:
        return f"chmod u+rw {real}"
    if user.name == ROOT or file.real.startswith(f"{user.home}/"):
        return f"sudo chown {name}: {real}"
    return f"it is outside of the home of {name}: see whose it is, or take the link to it away"


def check_writable(user: ObservedUser, file: ObservedFile) -> None:
    """See that a user may write a file. Raises Refused."""
    where = shown(user, file.path)
    if file.kind == "absent":
        return
    if file.uid != user.uid:
        raise Refused(f"{where} belongs to {file.owner or file.uid}", _give_back(user, file))
    if not file.mode & 0o200 or not file.is_writable:
        raise Refused(f"{where} is read-only", _give_back(user, file))
    if not file.is_replaceable:
        folder = replace(file, real=file.real.rpartition("/")[0], uid=-1)
        cause = f"{user.name} may not write into {printable(folder.real)}"
        raise Refused(cause, _give_back(user, folder))
