"""What we wrote down of a file: enough to see drift, and to put back what was there before."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

VERSION = 1


class BrokenRecord(Exception):
    """A record is none that this version can read."""


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
        """Read a record. Raises BrokenRecord."""
        try:
            path, _, rest = data.decode().partition("\n")
            told = json.loads(rest)
            if told["version"] != VERSION:
                raise BrokenRecord(f"it is of version {told['version']}, this one reads {VERSION}")
            merged = told["merged"]
            if not path.startswith("/") or not (merged is None or isinstance(merged, dict)):
                raise BrokenRecord("it is damaged")
            folders = tuple(map(str, told["folders"]))
            return cls(path, str(told["client"]), str(told["written"]), folders, merged)
        except (ValueError, KeyError, TypeError):
            raise BrokenRecord("it is damaged") from None


def digest(content: bytes) -> str:
    """Return the SHA-256 of a content."""
    return hashlib.sha256(content).hexdigest()
