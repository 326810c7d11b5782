"""What we wrote down of a file: enough to see drift, and to put back what was there before."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.clients import messages
from tasks.clients.limits import LARGEST_RECORD, MIB
from tasks.words.foreign import BadAnswer, Fields, read_json
from tasks.words.messages import Text
from tasks.words.printable import printable

VERSION = 1
LONGEST_WORDS = 185
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class BrokenRecord(Exception):
    """A record is none that this version can read."""

    def __init__(self, reason: Text) -> None:
        self.reason = reason
        super().__init__(reason)


def damaged(error: Exception) -> BrokenRecord:
    """Return what is wrong with a record by the error that reading it ended with."""
    return BrokenRecord(messages.RECORD_DAMAGED(words=printable(error, LONGEST_WORDS)))


@dataclass(frozen=True)
class Record:
    """One document of one user. `path` is where it stands, `folders` are those that were made for
    it, `written` is the SHA-256 of what was written last; `merged` is the merge's own record, None
    for a file that is wholly ours."""

    path: str
    client: str
    written: str
    folders: tuple[str, ...] = ()
    merged: Mapping[str, Any] | None = None

    def to_bytes(self) -> bytes:
        """Return the record as it is kept: the path, then one line of JSON."""
        told = {
            "version": VERSION,
            "client": self.client,
            "written": self.written,
            "folders": list(self.folders),
            "merged": self.merged,
        }
        return f"{self.path}\n{json.dumps(told)}\n".encode()

    @classmethod
    def of(cls, data: bytes) -> Record:
        """Read a record. Raises BrokenRecord: the file is the user's to write."""
        if not data:
            raise BrokenRecord(messages.RECORD_EMPTY())
        if len(data) > LARGEST_RECORD:
            raise BrokenRecord(messages.RECORD_LARGE(limit=LARGEST_RECORD // MIB))
        first, _, rest = data.partition(b"\n")
        try:
            told = Fields(read_json(rest))
            version = told.number("version")
            if version != VERSION:
                raise BrokenRecord(messages.RECORD_VERSION(version=version, known=VERSION))
            merged = told.object("merged").value if told.value["merged"] is not None else None
            folders = tuple(told.texts("folders"))
            path, client = _path(first.decode()), told.needed("client")
            if not all(path.startswith(f"{folder}/") for folder in folders):
                raise BadAnswer("its folders are not those of its path")
            return cls(path, client, written_in(told), folders, merged)
        except (BadAnswer, KeyError, UnicodeDecodeError) as error:
            raise damaged(error) from None


def _path(text: str) -> str:
    if not text.startswith("/") or _CONTROLS.search(text):
        raise BadAnswer("its first line is no path")
    return text


def written_in(told: Fields) -> str:
    """Return the SHA-256 of what was written, "" where it is not known. Raises BadAnswer."""
    found = told.text("written")
    if found and not _DIGEST.fullmatch(found):
        raise BadAnswer("what was written has no SHA-256 in it")
    return found


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content."""
    return hashlib.sha256(content).hexdigest()
