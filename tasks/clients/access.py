"""Whether a user may read and write a file, and else why it is left alone. Pure."""

from __future__ import annotations

import shlex
from dataclasses import replace

from tasks.clients import messages
from tasks.clients.limits import KIB, LARGEST
from tasks.clients.look import ObservedFile, ObservedUser
from tasks.clients.outcome import Refused, shown
from tasks.words.messages import Text
from tasks.words.printable import printable

ROOT = "root"


def content_of(user: ObservedUser, file: ObservedFile) -> bytes | None:
    """Return what a file holds, None where there is none. Raises Refused where nobody can tell."""
    where = shown(user, file.path)
    if file.kind == "absent":
        return None
    if file.kind == "dangling":
        target = shown(user, file.real)
        raise Refused(messages.DANGLING(where=where, target=target), messages.MEND_LINK())
    if file.kind != "file":
        kind = messages.IS_A_FOLDER if file.kind == "folder" else messages.NO_ORDINARY_FILE
        raise Refused(kind(where=where), messages.MOVE_AWAY())
    if file.size > LARGEST:
        raise Refused(
            messages.TOO_LARGE(where=where, limit=LARGEST // KIB), messages.MAKE_SMALLER()
        )
    if file.unread:
        raise Refused(messages.UNREAD(where=where, words=file.unread), messages.MEND_AND_RUN())
    if file.content is None:
        raise Refused(messages.NOT_READABLE(user=user.name, where=where), _give_back(user, file))
    return file.content


def _give_back(user: ObservedUser, file: ObservedFile) -> Text:
    """Return the remedy; no command for what a link, or a record, of the user's leads to outside.

    Else a user could have root give away any file.
    """
    real, name = printable(shlex.quote(file.real)), shlex.quote(user.name)
    if file.uid == user.uid:
        return messages.GIVE_RIGHTS(path=real)
    if user.name == ROOT or file.real.startswith(f"{user.home}/"):
        return messages.GIVE_BACK(user=name, path=real)
    return messages.OUTSIDE(user=name)


def check_writable(user: ObservedUser, file: ObservedFile) -> None:
    """See that a user may write a file. Raises Refused."""
    where = shown(user, file.path)
    if file.kind == "absent":
        return
    if file.uid != user.uid:
        cause = messages.OF_OTHER(where=where, owner=file.owner or file.uid)
        raise Refused(cause, _give_back(user, file))
    if not file.mode & 0o200 or not file.is_writable:
        raise Refused(messages.READ_ONLY(where=where), _give_back(user, file))
    if not file.is_replaceable:
        folder = replace(file, real=file.real.rpartition("/")[0], uid=-1)
        cause = messages.FOLDER_READ_ONLY(user=user.name, folder=printable(folder.real))
        raise Refused(cause, _give_back(user, folder))
