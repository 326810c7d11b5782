"""What has to happen to the files of a user's clients. Pure.

A file that is the user's is merged, by paths; one that is ours is written whole. A record tells
what was ours before: it makes drift of ours and a person's own choice different things.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from tasks.clients import messages
from tasks.clients.access import check_writable, content_of
from tasks.clients.documents import Document, Merged, Owned
from tasks.clients.entries import Entry
from tasks.clients.limits import MOST_RECORDS
from tasks.clients.look import ObservedFile, ObservedUser
from tasks.clients.merge import MergeRecord, merge, undo
from tasks.clients.outcome import CLIENTS, FileChange, Outcome, Refused, bounded, shown
from tasks.clients.record import Record, digest
from tasks.clients.textdoc import Invalid
from tasks.words.failures import Failure


def plan_user(
    user: ObservedUser, documents: Iterable[Document], unknown: Collection[str] = ()
) -> Outcome:
    """Plan all documents of a user, and take ours out of those that are not wanted any more.

    `unknown` are services whose server did not tell: what was written of them stays as it is.
    """
    found = Outcome()
    if user.is_crowded:
        found.failures.append(_crowd(user))
        return found
    left = dict(user.records)
    for document in documents:
        record = left.pop(document.name, None)
        _planned(found, user, document, record, unknown)
    for name, data in left.items():
        _dropped(found, user, name, data)
    return found


def _planned(
    found: Outcome,
    user: ObservedUser,
    document: Document,
    data: bytes | None,
    unknown: Collection[str],
) -> None:
    file = _file(user, document)
    what = f"connect {document.client} of {user.name}: {shown(user, file.path)}"
    with bounded(found, user, document.name, what) as planned:
        record = Record.of(data) if data is not None else None
        if record is not None and record.path != file.path:
            # It stands somewhere else now, such as in a kilo.jsonc that came beside kilo.json.
            planned.changes += _undone(user, document.name, record)
            record = None
        if isinstance(document, Owned):
            planned.changes += _owned(user, document, file, record)
        else:
            planned.changes += _merged(planned, user, document, file, record, unknown)


def _dropped(found: Outcome, user: ObservedUser, name: str, data: bytes) -> None:
    with bounded(found, user, name, f"disconnect {name} of {user.name}") as planned:
        planned.changes += _undone(user, name, Record.of(data))


def _crowd(user: ObservedUser) -> Failure:
    place = shown(user, f"{user.state}/ollama-stack")
    cause = messages.CROWD(place=place, count=MOST_RECORDS)
    return Failure(f"clients of {user.name}", cause, messages.CLEAR_CROWD(), CLIENTS)


def _file(user: ObservedUser, document: Document) -> ObservedFile:
    """Return the first of a document's files that is there; the new one where none is."""
    if isinstance(document, Owned):
        return _observed(user, document.place)
    files = (_observed(user, place) for place in document.places)
    there = next((file for file in files if file.kind != "absent"), None)
    return there or _observed(user, document.new_at)


def _observed(user: ObservedUser, place: str) -> ObservedFile:
    path = user.path(place)
    return user.files.get(place) or ObservedFile(path, path)


def _change(
    user: ObservedUser,
    name: str,
    client: str,
    file: ObservedFile,
    after: bytes | None,
    record: Record | None,
    why: str,
    *,
    mode: int = 0,
    before: Record | None = None,
) -> FileChange:
    check_writable(user, file)
    is_there = file.content is not None
    made = (before.folders if before is not None else ()) + file.missing_folders
    if record is not None:
        record = replace(record, folders=made)
    return FileChange(
        name=name,
        client=client,
        path=file.real,
        shown=shown(user, file.path),
        before=digest(file.content) if file.content is not None else "",
        after=after,
        mode=file.mode if is_there else mode,
        record=record,
        why=why,
        folders=made,
        backs_up=before is None and is_there,
    )


def _owned(
    user: ObservedUser, document: Owned, file: ObservedFile, record: Record | None
) -> Iterator[FileChange]:
    wanted, there = document.content.encode(), content_of(user, file)
    if there == wanted:
        return
    if there is not None and record is None:
        where = shown(user, file.path)
        raise Refused(messages.NOT_OURS(where=where), messages.LEAVE_OUT())
    if there is None:
        why = "new" if record is None else "it was removed"
    else:
        is_drift = record is not None and digest(there) != record.written
        why = "edited by hand" if is_drift else "declaration"
    after = Record(file.path, document.client, digest(wanted))
    yield _change(
        user,
        document.name,
        document.client,
        file,
        wanted,
        after,
        why,
        mode=document.mode,
        before=record,
    )


def _merged(
    found: Outcome,
    user: ObservedUser,
    document: Merged,
    file: ObservedFile,
    record: Record | None,
    unknown: Collection[str],
) -> Iterator[FileChange]:
    there = content_of(user, file)
    known = MergeRecord.of(record.merged) if record is not None and record.merged else None
    entries = settled(document.entries, known, unknown)
    try:
        result = merge(document.format, there, entries, known)
    except Invalid as error:
        raise _invalid(user, file, error) from None
    for kept in result.kept:
        found.notes.append(f"{document.client} of {user.name}: {kept} is the user's own, and stays")
    if result.text == there and result.record == known:
        return
    why = "new" if there is None else result.why or "what is ours there is written down anew"
    written = Record(
        file.path, document.client, digest(result.text or b""), (), result.record.table()
    )
    yield _change(
        user,
        document.name,
        document.client,
        file,
        result.text,
        written,
        why,
        mode=document.mode,
        before=record,
    )


def settled(
    entries: Iterable[Entry], record: MergeRecord | None, unknown: Collection[str]
) -> list[Entry]:
    """Return the entries, those of unknown services as they were written last."""
    written = record.values if record is not None else {}
    return [
        replace(entry, value=written[entry.path]) if entry.service in unknown else entry
        for entry in entries
        if entry.service not in unknown or entry.path in written
    ]


def _invalid(user: ObservedUser, file: ObservedFile, error: Invalid) -> Refused:
    where = shown(user, file.path)
    cause = messages.INVALID(where=where, line=error.line, reason=error.reason)
    return Refused(cause, messages.MEND_THERE())


def _undone(user: ObservedUser, name: str, record: Record) -> Iterator[FileChange]:
    """Take what is ours out of a file, or the file where it is ours."""
    if ".." in record.path.split("/"):
        where = shown(user, record.path)
        raise Refused(messages.NO_PLACE_OF_OURS(where=where), messages.MOVE_RECORD())
    file = user.files.get(record.path) or ObservedFile(record.path, record.path)
    there = content_of(user, file)
    is_as_before = False
    if record.merged is None:
        if there is not None and digest(there) != record.written:
            where = shown(user, file.path)
            raise Refused(messages.EDITED(where=where), messages.REMOVE_BY_HAND())
        after = None
    else:
        try:
            known = MergeRecord.of(record.merged)
            after = undo(there, known)
            is_as_before = after == known.original
        except Invalid as error:
            raise _invalid(user, file, error) from None
    why = "no longer wanted"
    change = _change(user, name, record.client, file, after, None, why, before=record)
    yield replace(change, is_as_before=is_as_before)
