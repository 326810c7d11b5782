"""What is ours and what is the user's in one file. Pure.

What we wrote is remembered, by path. So what differs from what we want is drift where we wrote it,
and the user's own choice where we did not: that stays.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from tasks.clients import messages
from tasks.clients.entries import Entry, Item, is_item
from tasks.clients.jsonc import JsoncDocument
from tasks.clients.limits import MOST_VALUES
from tasks.clients.record import damaged, digest, written_in
from tasks.clients.textdoc import MISSING, Document, Invalid, Path
from tasks.words.foreign import BadAnswer, Fields

Format = Literal["jsonc", "yaml"]
# So many paths are named in a line of the plan.
SHOWN = 5
# The longest of ours has three steps.
LONGEST_PATH = 10
NEW, BACK, GONE = "new", "was removed by hand", "no longer wanted"
CHANGED, EDITED = "changed", "was edited by hand"


@dataclass(frozen=True)
class MergeRecord:
    """What we wrote into a file: values by path, and the parents that we made for them.

    `original` is what the file held before, None where there was none; `written` is the SHA-256 of
    what we wrote last, "" once somebody else wrote in between: then `original` is not all of it.
    """

    format: Format
    values: Mapping[Path, Any]
    parents: tuple[Path, ...] = ()
    original: bytes | None = None
    written: str = ""

    def table(self) -> dict[str, Any]:
        """Return the record for JSON."""
        original = self.original
        return {
            "format": self.format,
            "values": [[_path_out(path), value] for path, value in self.values.items()],
            "parents": [_path_out(path) for path in self.parents],
            "original": base64.b64encode(original).decode() if original is not None else None,
            "written": self.written,
        }

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> MergeRecord:
        """Read a record. Raises BrokenRecord."""
        try:
            told = Fields(table)
            format_ = told.text("format")
            values = [_pair(one) for one in told.items("values")]
            parents = tuple(_path_in(path) for path in told.items("parents"))
            if format_ not in get_args(Format) or max(len(values), len(parents)) > MOST_VALUES:
                raise BadAnswer("it is of another format, or has more values than we write")
            has_original = table["original"] is not None
            original = told.text("original")
            return cls(
                format_,  # type: ignore[arg-type]
                dict(values),
                parents,
                base64.b64decode(original, validate=True) if has_original else None,
                written_in(told),
            )
        except (BadAnswer, KeyError, ValueError) as error:
            raise damaged(error) from None


@dataclass
class Merged:
    """What came of a merge. `changes` are paths by what is done there, `kept` are paths that are
    the user's though we want another value there. `adopts`: there was no record at all."""

    text: bytes
    record: MergeRecord
    changes: dict[str, list[str]] = field(default_factory=dict)
    adopts: bool = False
    kept: list[str] = field(default_factory=list)

    def note(self, kind: str, text: str) -> None:
        """Note a change."""
        self.changes.setdefault(kind, []).append(text)

    @property
    def why(self) -> str:
        """The changes in words."""
        return "; ".join(f"{kind}: {_listed(paths)}" for kind, paths in self.changes.items())


def _listed(paths: list[str]) -> str:
    shown, more = paths[:SHOWN], len(paths) - SHOWN
    return f"{', '.join(shown)} and {more} more" if more > 0 else ", ".join(shown)


def _document(format_: str, content: bytes) -> Document:
    if format_ == "yaml":
        from tasks.clients.yamldoc import YamlDocument  # noqa: PLC0415 (a run without any is quicker)

        return YamlDocument(content)
    return JsoncDocument(content)


def merge(
    format_: Format, there: bytes | None, entries: Iterable[Entry], record: MergeRecord | None
) -> Merged:
    """Bring entries into a file, None where there is none yet. Raises Invalid."""
    if there is None:
        record = None
    document = _document(format_, there or b"")
    owned: dict[Path, Any] = dict(record.values) if record is not None else {}
    parents = list(record.parents) if record is not None else []
    result = Merged(there or b"", record or MergeRecord(format_, {}), adopts=record is None)
    wanted = {entry.path: entry for entry in entries}
    before = document.get(())
    there_before = {path for path in wanted if document.get(path) is not MISSING}
    _drop(document, owned, parents, [p for p in owned if p not in wanted], result)
    for path, entry in wanted.items():
        if any(needed not in owned for needed in entry.needs):
            _drop(document, owned, parents, [path] if path in owned else [], result)
        else:
            _bring(document, owned, parents, entry, result)
    if len(owned) > MOST_VALUES:
        raise Invalid(1, messages.MANY_OF_OURS(count=MOST_VALUES))
    text = document.to_bytes()
    if there is not None and text == there and record is not None and owned == record.values:
        return Merged(there, record, kept=result.kept)
    _check_rest(before, document, {*owned, *(record.values if record is not None else ())})
    result.text = text if owned or there is not None else b""
    # What was adopted is no part of what was there before us.
    is_new = record is None and there_before.isdisjoint(owned)
    is_whole = is_new or (record is not None and record.written == digest(there or b""))
    result.record = MergeRecord(
        format_,
        owned,
        tuple(parents),
        there if record is None else record.original,
        digest(result.text) if is_whole else "",
    )
    return result


def _drop(
    document: Document, owned: dict[Path, Any], parents: list[Path], paths: list[Path], to: Merged
) -> None:
    """Take out what is ours and not wanted any more, and the parents that this leaves empty."""
    for path in reversed(paths):
        del owned[path]
        if document.get(path) is not MISSING:
            document.remove(path)
            to.note(GONE, path_text(path))
    for parent in sorted(parents, key=len, reverse=True):
        value = document.get(parent)
        if value is MISSING or value in ({}, []):
            document.remove(parent)
            parents.remove(parent)


def _bring(
    document: Document, owned: dict[Path, Any], parents: list[Path], entry: Entry, to: Merged
) -> None:
    path, value, text = entry.path, entry.value, path_text(entry.path)
    present = document.get(path)
    if not document.can_hold(path):
        if not entry.is_default:
            to.kept.append(f"what stands in the way of {text}")
        return
    if present is MISSING:
        parents += document.set(path, value)
        to.note(BACK if path in owned else NEW, text)
        owned[path] = value
    elif _same(present, value):
        # Without a record of it, it is ours all the same: nobody else names our servers so.
        is_about_ours = bool(entry.needs) or not entry.is_default
        if path in owned or (to.adopts and is_about_ours):
            owned[path] = value
    elif path in owned and entry.is_default and not _same(present, owned[path]):
        # A person chose something else: that is what a default is for.
        del owned[path]
    elif path in owned:
        document.set(path, value)
        to.note(*_changed(text, present, owned[path], value))
        owned[path] = value
    elif not entry.is_default:
        to.kept.append(text)


def _changed(text: str, present: Any, written: Any, value: Any) -> tuple[str, str]:
    if not _same(present, written):
        return EDITED, text
    if isinstance(value, dict | list) or isinstance(written, dict | list):
        return CHANGED, text
    return CHANGED, f"{text} {written} → {value}"


def undo(there: bytes | None, record: MergeRecord) -> bytes | None:
    """Take what is ours out of a file; None where nothing is left of it. Raises Invalid.

    Where nobody else wrote since, it is what was there before, byte for byte.
    """
    if there is None:
        return None
    if record.written and digest(there) == record.written:
        return record.original
    document = _document(record.format, there)
    parents, before = list(record.parents), document.get(())
    nothing = Merged(there, record)
    _drop(document, dict(record.values), parents, list(record.values), nothing)
    _check_rest(before, document, {*record.values})
    if record.original is None and document.is_blank:
        return None
    return document.to_bytes()


def _check_rest(before: Any, after: Document, ours: Iterable[Path]) -> None:
    """See that all but ours is what it was, however odd the layout. Raises Invalid."""
    paths = tuple(ours)
    if _rest(before, paths) != _rest(after.get(()), paths):
        raise Invalid(1, messages.UNSAFE())


def _rest(value: Any, paths: Iterable[Path]) -> Any:
    """Return what is left of a document without some paths, and without what is empty."""
    left = copy.deepcopy(value)
    for path in paths:
        left = _without(left, path)
    return _pruned(left)


def _without(value: Any, path: Path) -> Any:
    if not path:
        return None
    key, rest = path[0], path[1:]
    if isinstance(key, Item) and isinstance(value, list):
        # The first of that name is the one that is edited.
        index = next((i for i, v in enumerate(value) if is_item(v, key)), None)
        if index is not None:
            value[index] = _without(value[index], rest)
    elif isinstance(value, dict) and key in value:
        value[key] = _without(value[key], rest)
    return value


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _pruned(inner) for key, inner in value.items()}
        return {key: inner for key, inner in kept.items() if inner is not None} or None
    if isinstance(value, list):
        return [inner for inner in map(_pruned, value) if inner is not None] or None
    return value


def path_text(path: Path) -> str:
    """Return a path as people read it."""
    return ".".join(key.value if isinstance(key, Item) else str(key) for key in path)


def _same(one: Any, other: Any) -> bool:
    return json.dumps(one, sort_keys=True, default=str) == json.dumps(
        other, sort_keys=True, default=str
    )


def _path_out(path: Path) -> list[Any]:
    return [{key.key: key.value} if isinstance(key, Item) else key for key in path]


def _path_in(path: Any) -> Path:
    if not isinstance(path, list) or not 0 < len(path) <= LONGEST_PATH:
        raise BadAnswer("a path in it is none")
    return tuple(_key_in(key) for key in path)


def _key_in(key: Any) -> str | Item:
    if isinstance(key, str):
        return key
    names = list(key.items()) if isinstance(key, dict) else []
    if len(names) != 1 or not isinstance(names[0][1], str):
        raise BadAnswer("a path in it is none")
    return Item(*names[0])


def _pair(one: Any) -> tuple[Path, Any]:
    if not isinstance(one, list) or len(one) != 2:
        raise BadAnswer("a value in it has no path")
    return _path_in(one[0]), one[1]
