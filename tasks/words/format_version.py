"""The version of a file's format: which one a file has, and how an older one is carried on.

A new version is due where an older product would misread, or lose, what a newer one writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]


class NewerFormatError(Exception):
    """A file was written by a newer product; the text is the cause, behind the file's name."""


@dataclass(frozen=True)
class Format:
    """The versions of one kind of file; `key` names the version in it.

    A file that has no such key is of the `oldest` version. The first of `migrations` carries a
    document from that version to the next one, the second one from there, and so on.
    """

    key: str
    oldest: int
    migrations: tuple[Callable[[Document], Document], ...] = ()

    @property
    def newest(self) -> int:
        """The version that is read and written today."""
        return self.oldest + len(self.migrations)

    def version_of(self, document: Document) -> int:
        """Return the version of a document. Raises ValueError where it names none."""
        version = document.get(self.key, self.oldest)
        if type(version) is not int or version < self.oldest:
            raise ValueError(f"{self.key} = {version!r} is no version: 1, 2 and so on are")
        return version

    def migrated(self, document: Document) -> Document:
        """Return a document as one of the newest version. Raises ValueError, NewerFormatError."""
        version = self.version_of(document)
        if version > self.newest:
            raise NewerFormatError(
                f"is of version {version}, and this ollama-stack reads up to {self.newest}"
            )
        for migrate in self.migrations[version - self.oldest :]:
            document = migrate(document)
        return {**document, self.key: self.newest}
