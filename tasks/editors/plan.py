"""What has to happen to the files of a user's clients. Pure.

A file that is the user's is merged, by paths; one that is ours is written whole. A record tells
what was ours before: it makes drift of ours and a person's own choice different things.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from tasks.editors.documents import Document, Merged, Owned
from tasks.editors.entries import Entry
from tasks.editors.look import LARGEST, ObservedFile, ObservedUser
from tasks.editors.merge import MergeRecord, merge, undo
from tasks.editors.record import BrokenRecord, Record, digest
from tasks.editors.textdoc import Invalid
from tasks.steps import Failure

# Whose failures these are: no service waits for them.
CLIENTS = "clients"


@dataclass(frozen=True)
class FileChange:
    """One file to write, or to take away where `after` is None.

    `path` is where a link leads; `before` is the SHA-256 of what is there, "" where there is
    nothing; `record` is None where nothing of ours is left. `backs_up`: it was nobody's but the
    user's until now. `is_as_before`: it is again what the copy of it holds.
    """

    name: str
    client: str
    path: str
    shown: str
    before: str
    after: bytes | None
    mode: int
    record: Record | None
    why: str
    folders: tuple[str, ...] = ()
    backs_up: bool = False
    is_as_before: bool = False


@dataclass
class Outcome:
    """What the plan of one user came to."""

    changes: list[FileChange] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Refused(Exception):
    """A file is left alone: cause and remedy."""

    def __init__(self, cause: str, remedy: str) -> None:
        self.cause, self.remedy = cause, remedy
        super().__init__(cause)


def plan_user(
    user: ObservedUser, documents: Iterable[Document], unknown: Collection[str] = ()
) -> Outcome:
    """Plan all documents of a user, and take ours out of those that are not wanted any more.

    `unknown` are services whose server did not tell: what was written of them stays as it is.
    """
    found = Outcome()
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
    with _failing(found, user, document.name, what):
        record = Record.of(data) if data is not None else None
        if record is not None and record.path != file.path:
            # It stands somewhere else now, such as in a kilo.jsonc that came beside kilo.json.
            found.changes += _undone(user, document.name, record)
            record = None
        if isinstance(document, Owned):
            found.changes += _owned(user, document, file, record)
        else:
            found.changes += _merged(found, user, document, file, record, unknown)


@contextmanager
def _failing(found: Outcome, user: ObservedUser, name: str, what: str) -> Iterator[None]:
    """Note why a file cannot be seen to, so that the others are."""
    try:
        yield
    except BrokenRecord as error:
        found.failures.append(Failure(what, *broken(user, name, error), CLIENTS))
    except Refused as error:
        found.failures.append(Failure(f"{what}: left alone", error.cause, error.remedy, CLIENTS))


def broken(user: ObservedUser, name: str, error: BrokenRecord) -> tuple[str, str]:
    """Return cause and remedy of a record that cannot be read."""
    path = shown(user, f"{user.state}/ollama-stack/*/{name}.record")
    return f"{path}: {error}", "move it away: what stands in the file as we write it is ours again"


def _dropped(found: Outcome, user: ObservedUser, name: str, data: bytes) -> None:
    with _failing(found, user, name, f"disconnect {name} of {user.name}"):
        found.changes += _undone(user, name, Record.of(data))


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


def shown(user: ObservedUser, path: str) -> str:
    """Return a path as people write it."""
    return f"~{path.removeprefix(user.home)}" if path.startswith(f"{user.home}/") else path


def _content(user: ObservedUser, file: ObservedFile) -> bytes | None:
    """Return what a file holds, None where there is none. Raises Refused where nobody can tell."""
    where = shown(user, file.path)
    if file.kind == "absent":
        return None
    if file.kind == "dangling":
        raise Refused(f"{where} is a link to {file.real}, which is not there", "mend or remove it")
    if file.kind != "file":
        kind = "a folder" if file.kind == "folder" else "no ordinary file"
        raise Refused(f"{where} is {kind}", "move it away")
    if file.size > LARGEST:
        raise Refused(f"{where} is larger than {LARGEST // 1024} KiB", "make it smaller")
    if file.content is None:
        raise Refused(f"{user.name} may not read {where}", _give_back(user, file))
    return file.content


def _give_back(user: ObservedUser, file: ObservedFile) -> str:
    if file.uid != user.uid:
        return f"sudo chown {user.name}: {file.real}"
    return f"chmod u+rw {file.real}"


def _check_writable(user: ObservedUser, file: ObservedFile) -> None:
    where = shown(user, file.path)
    if file.kind == "absent":
        return
    if file.uid != user.uid:
        raise Refused(f"{where} belongs to {file.owner or file.uid}", _give_back(user, file))
    if not file.mode & 0o200 or not file.is_writable:
        raise Refused(f"{where} is read-only", _give_back(user, file))
    if not file.is_replaceable:
        folder = file.real.rpartition("/")[0]
        raise Refused(
            f"{user.name} may not write into {folder}", f"sudo chown {user.name}: {folder}"
        )


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
    _check_writable(user, file)
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
    wanted, there = document.content.encode(), _content(user, file)
    if there == wanted:
        return
    if there is not None and record is None:
        where = shown(user, file.path)
        raise Refused(f"{where} is there and not ours", "move it away, or leave the client out")
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
    there = _content(user, file)
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
    where = f"{shown(user, file.path)}, line {error.line}"
    return Refused(f"{where}: {error.reason}", "mend it there; nothing of it was changed")


def _undone(user: ObservedUser, name: str, record: Record) -> Iterator[FileChange]:
    """Take what is ours out of a file, or the file where it is ours."""
    file = user.files.get(record.path) or ObservedFile(record.path, record.path)
    there = _content(user, file)
    is_as_before = False
    if record.merged is None:
        if there is not None and digest(there) != record.written:
            where = shown(user, file.path)
            raise Refused(f"{where} was edited by hand", "remove it by hand, if it is not needed")
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
