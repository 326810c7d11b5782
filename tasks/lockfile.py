"""stack.lock: the digests that were proven, for each host and service. TOML, in stable order."""

from __future__ import annotations

import os
import tempfile
import tomllib
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

HEADER = "Written by ollama-stack: what was proven, by host and service. Keep it; do not edit it."


@dataclass(frozen=True)
class Proven:
    """What was asked for and the manifest digest that a generation proved; `at` is UTC.

    `processor` is where a model ran: "GPU", "CPU" or "GPU 43 %"; "" for an image.
    """

    reference: str
    digest: str
    at: str
    processor: str = ""


@dataclass(frozen=True)
class ServiceLock:
    """The proven image and models (by declared name) of one service."""

    image: Proven | None = None
    models: dict[str, Proven] = field(default_factory=dict)


class LockError(Exception):
    """The lock cannot be read; it is left as it is."""


@dataclass
class LockFile:
    """All entries, by host and service."""

    path: Path
    entries: dict[tuple[str, str], ServiceLock] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> LockFile:
        """Read the lock; an empty one where there is no file. Raises LockError."""
        if not path.exists():
            return cls(path)
        try:
            hosts = tomllib.loads(path.read_text(encoding="utf-8")).get("hosts", {})
            entries = {
                (host, service): _parse(table)
                for host, services in hosts.items()
                for service, table in services.items()
            }
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise LockError(
                f"{path}: is not a lock that this version can read: {error}\n"
                "  remedy: restore it, or move it away: what runs is proven anew then"
            ) from None
        return cls(path, entries)

    def service(self, host: str, service: str) -> ServiceLock:
        """Return the entry of a service; an empty one where nothing was proven."""
        return self.entries.get((host, service), ServiceLock())

    def image_digest(self, host: str, service: str, reference: str) -> str:
        """Return the proven digest of an image, "" where this reference was never proven."""
        image = self.service(host, service).image
        return image.digest if image is not None and image.reference == reference else ""

    def model_digests(self, host: str, service: str) -> dict[str, str]:
        """Return the proven digests of a service's models, by declared name."""
        return {name: p.digest for name, p in self.service(host, service).models.items()}

    def gpu_models(self, host: str, service: str) -> frozenset[str]:
        """Return the models of a service that ran wholly on the GPU when they were proven."""
        models = self.service(host, service).models
        return frozenset(name for name, proven in models.items() if proven.processor == "GPU")

    def put_image(self, host: str, service: str, proven: Proven) -> None:
        """Enter a proven image and write the file, if that changes anything."""
        entry = self.service(host, service)
        if entry.image is None or not _is_same(entry.image, proven):
            self._put(host, service, replace(entry, image=proven))

    def put_model(self, host: str, service: str, name: str, proven: Proven) -> None:
        """Enter a proven model and write the file, if that changes anything."""
        entry = self.service(host, service)
        old = entry.models.get(name)
        if old is None or not _is_same(old, proven):
            self._put(host, service, replace(entry, models={**entry.models, name: proven}))

    def _put(self, host: str, service: str, entry: ServiceLock) -> None:
        """Enter a service over what the file holds by now: other hosts write into it as well."""
        self.entries = {**LockFile.load(self.path).entries, (host, service): entry}
        self._write()

    def _write(self) -> None:
        import tomlkit  # noqa: PLC0415 (a run that changes nothing does not write)

        document = tomlkit.document()
        document.add(tomlkit.comment(HEADER))
        hosts: dict[str, Any] = {}
        for (host, service), entry in sorted(self.entries.items()):
            table: dict[str, Any] = {}
            if entry.image is not None:
                table["image"] = asdict(entry.image)
            if entry.models:
                table["models"] = {name: asdict(p) for name, p in sorted(entry.models.items())}
            hosts.setdefault(host, {})[service] = table
        document.add("hosts", tomlkit.item(hosts))
        write_atomically(self.path, tomlkit.dumps(document))


def _is_same(old: Proven, new: Proven) -> bool:
    return replace(old, at="") == replace(new, at="")


def _parse(table: dict[str, Any]) -> ServiceLock:
    image = table.get("image")
    models = table.get("models", {})
    return ServiceLock(
        Proven(**image) if image else None,
        {name: Proven(**entry) for name, entry in models.items()},
    )


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that whoever reads it sees the old or the new content, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
