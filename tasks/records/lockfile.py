"""stack.lock: the digests that were proven, for each host and service; one writer at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.files.atomic import make_folder, target, write_atomically
from tasks.files.lock import HeldError, only_one
from tasks.records import messages
from tasks.records.lock_document import Entries, LockDocument, parsed, serialised
from tasks.records.proven import Proven, ServiceLock
from tasks.words.failures import Failed
from tasks.words.format_version import NewerFormatError

# A writer needs milliseconds.
WRITER_SECONDS = 30


class LockError(Failed):
    """The lock cannot be read or written; it is left as it is."""

    def __str__(self) -> str:
        return f"{self.cause}\n  remedy: {self.remedy}"


@dataclass
class LockFile:
    """All entries, by host and service; `unknown` is what else stands in the file."""

    path: Path
    entries: Entries = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> LockFile:
        """Read the lock; an empty one where there is no file. Raises LockError.

        A file of an older version stays as it is until something is written into it.
        """
        try:
            document = parsed(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(path)
        except NewerFormatError as error:
            cause = messages.NEWER_LOCK(path=str(path), words=str(error))
            raise LockError(cause, messages.UPDATE_OR_MOVE()) from None
        except (OSError, ValueError) as error:
            cause = messages.NO_LOCK(path=str(path), words=str(error))
            raise LockError(cause, messages.RESTORE()) from None
        return cls(path, document.entries, document.unknown)

    def reload(self) -> None:
        """Read again what others may have written meanwhile. Raises LockError."""
        fresh = LockFile.load(self.path)
        self.entries, self.unknown = fresh.entries, fresh.unknown

    def of_host(self, host: str) -> dict[str, ServiceLock]:
        """Return the entries of one host, by service."""
        return {name: entry for (owner, name), entry in self.entries.items() if owner == host}

    def service(self, host: str, service: str) -> ServiceLock:
        """Return the entry of a service; an empty one where nothing was proven."""
        return self.entries.get((host, service), ServiceLock())

    def services(self, host: str) -> set[str]:
        """Return the services of a host that were ever proven."""
        return {service for owner, service in self.entries if owner == host}

    def known_image(self, reference: str) -> str:
        """Return the digest that was proven last of an image, on any host; "" for none."""
        images = (entry.image for entry in self.entries.values())
        found = [image for image in images if image is not None and image.reference == reference]
        return max(found, key=lambda image: image.at).digest if found else ""

    def known_models(self, host: str) -> dict[str, str]:
        """Return the digests of models that other hosts proved last, by declared name."""
        others = [entry for (other, _), entry in self.entries.items() if other != host]
        found = [proven for entry in others for proven in entry.models.values()]
        return {p.reference: p.digest for p in sorted(found, key=lambda p: p.at)}

    def put(
        self,
        host: str,
        service: str,
        image: Proven | None,
        models: Mapping[str, Proven],
        main: str = "",
        *,
        is_move: bool = False,
    ) -> None:
        """Enter what was proven of a service, all of it at once, if that changes anything."""
        entry = self.service(host, service)
        if entry.with_proven(image, models, main, is_move=is_move) is entry:
            return
        with _only_writer(self.path):
            # Over what the file holds by now: other hosts write into it as well.
            fresh = LockFile.load(self.path)
            moved = fresh.service(host, service).with_proven(image, models, main, is_move=is_move)
            self._write(fresh, host, service, moved)

    def drop_models(self, host: str, service: str, names: Collection[str]) -> None:
        """Take models out that are no more."""
        with _only_writer(self.path):
            fresh = LockFile.load(self.path)
            left = fresh.service(host, service).without_models(names)
            self._write(fresh, host, service, left)

    def _write(self, fresh: LockFile, host: str, service: str, entry: ServiceLock) -> None:
        entries = {**fresh.entries, (host, service): entry}
        write_atomically(self.path, serialised(LockDocument(entries, fresh.unknown)))
        self.entries, self.unknown = entries, fresh.unknown


@contextmanager
def _only_writer(path: Path) -> Iterator[None]:
    """Keep others from writing at the same time. Raises LockError where they do so for long."""
    path = target(path)
    make_folder(path.parent)
    try:
        with only_one(path.with_name(f".{path.name}.writer"), "a run", WRITER_SECONDS):
            yield
    except HeldError as error:
        cause = messages.BEING_WRITTEN(path=str(path), holder=str(error), seconds=WRITER_SECONDS)
        raise LockError(cause, messages.WAIT()) from None
