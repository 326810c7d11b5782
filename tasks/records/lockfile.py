"""stack.lock: the digests that were proven, for each host and service. TOML, in stable order."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from tasks.files.atomic import make_folder, target, write_atomically
from tasks.files.lock import HeldError, only_one
from tasks.records import messages
from tasks.words.failures import Failed

HEADER = "Written by ollama-stack: what was proven, by host and service. Keep it; do not edit it."
# A writer needs milliseconds.
WRITER_SECONDS = 30


@dataclass(frozen=True)
class Proven:
    """What was asked for and the manifest digest that a generation proved; `at` is UTC.

    `processor` is where a model ran: "GPU", "CPU" or "GPU 43 %"; "" for an image. `size` is in
    bytes, `rate` in tokens a second, 0 where nobody told. `abilities` are what its server says that
    a model can do, `missed` those of which nothing came when they were tried, `context` the tokens
    that it was trained for. `previous` is what was proven before it, and has none itself.
    """

    reference: str
    digest: str
    at: str
    processor: str = ""
    size: int = 0
    rate: float = 0
    abilities: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    context: int = 0
    previous: Proven | None = None

    def after(self, old: Proven | None) -> Proven:
        """Return this as the successor of an older entry; the same digest keeps its history."""
        if old is None:
            return self
        before = old.previous if old.digest == self.digest else replace(old, previous=None)
        return replace(self, previous=before)

    def is_same(self, old: Proven | None) -> bool:
        """Tell whether an entry says the same already; when and how large do not matter."""
        return old is not None and self._claim == old._claim

    @property
    def _claim(self) -> tuple[Any, ...]:
        what = (self.reference, self.digest, self.processor)
        return (*what, self.abilities, self.missed, self.context)

    def table(self) -> dict[str, Any]:
        """Return the entry for the file, without what is not known."""
        previous = self.previous.table() if self.previous is not None else None
        values = asdict(replace(self, previous=None)) | {"previous": previous}
        listed = {k: [*v] if isinstance(v, tuple) else v for k, v in values.items()}
        return {key: value for key, value in listed.items() if value}

    @classmethod
    def of(cls, table: Mapping[str, Any]) -> Proven:
        """Read the entry of a file. Raises TypeError and KeyError."""
        for name in ("reference", "digest", "at", "processor"):
            if not isinstance(table.get(name, ""), str):
                raise TypeError(f"{name} = {table[name]!r} is no text")
        before = table.get("previous")
        words = {key: tuple(map(str, table.get(key, ()))) for key in ("abilities", "missed")}
        return cls(**{**table, **words, "previous": cls.of(before) if before else None})


@dataclass(frozen=True)
class ServiceLock:
    """The proven image and models (by declared name) of one service; `main` names the main one."""

    image: Proven | None = None
    models: dict[str, Proven] = field(default_factory=dict)
    main: str = ""

    def with_proven(
        self,
        image: Proven | None,
        models: Mapping[str, Proven],
        main: str = "",
        *,
        is_move: bool = False,
    ) -> ServiceLock:
        """Return the entry after these were proven; what says the same already stays as it is.

        `main` is the service's main model, where it is among them; another one than before has that
        one as its predecessor. `is_move`: all of it is one generation, so that what it did not move
        has no predecessor any more, and a rollback undoes this move and no earlier one.
        """
        new = {
            name: proven.after(self.models.get(name))
            for name, proven in models.items()
            if not proven.is_same(self.models.get(name))
        }
        main = main or self.main
        before = self.models.get(self.main)
        if main != self.main and main in models and before is not None:
            present = new.get(main) or self.models[main]
            new[main] = replace(present, previous=replace(before, previous=None))
        is_new_image = image is not None and not image.is_same(self.image)
        if not new and not is_new_image and main == self.main:
            return self
        moved = image.after(self.image) if image is not None and is_new_image else self.image
        entry = ServiceLock(moved, {**self.models, **new}, main)
        return entry._after_a_move_from(self) if is_move else entry

    def _after_a_move_from(self, old: ServiceLock) -> ServiceLock:
        """Forget the predecessors of what did not move."""

        def of_this_move(now: Proven, before: Proven | None) -> Proven:
            is_same = before is not None and now.digest == before.digest
            return replace(now, previous=None) if is_same else now

        models = {
            name: proven
            if name == self.main != old.main
            else of_this_move(proven, old.models.get(name))
            for name, proven in self.models.items()
        }
        image = of_this_move(self.image, old.image) if self.image is not None else None
        return ServiceLock(image, models, self.main)

    def image_digest(self, reference: str) -> str:
        """Return the proven digest of an image, "" where this reference was never proven."""
        image = self.image
        return image.digest if image is not None and image.reference == reference else ""

    @property
    def model_digests(self) -> dict[str, str]:
        """The proven digests of the models, by declared name."""
        return {name: proven.digest for name, proven in self.models.items()}

    @property
    def unknown_models(self) -> frozenset[str]:
        """The models that were proven before anybody looked at what they can do."""
        return frozenset(name for name, proven in self.models.items() if not proven.abilities)

    @property
    def abilities(self) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
        """What models can do, by name: as their server told, and of that what missed when tried."""
        return {n: (p.abilities, p.missed) for n, p in self.models.items() if p.abilities}

    @property
    def gpu_models(self) -> frozenset[str]:
        """The models that ran wholly on the GPU when they were proven."""
        return frozenset(name for name, proven in self.models.items() if proven.processor == "GPU")

    @property
    def partial_models(self) -> frozenset[str]:
        """The models that ran at least partly on the GPU when they were proven: "GPU 43 %"."""
        parts = (name for name, p in self.models.items() if p.processor.endswith("%"))
        return self.gpu_models | frozenset(parts)

    def rate(self, model: str, processor: str) -> float:
        """Return the tokens a second that a model made when it was proven there, 0 if unknown."""
        proven = self.models.get(model)
        return proven.rate if proven is not None and proven.processor == processor else 0

    @property
    def previous_models(self) -> dict[str, str]:
        """The digests that were proven before the present ones, by declared name."""
        before = ((name, proven.previous) for name, proven in self.models.items())
        return {n: p.digest for n, p in before if p is not None and p.reference == n}

    @property
    def previous_main(self) -> Proven | None:
        """The main model before the present one, where it has another name."""
        main = self.models.get(self.main)
        before = main.previous if main is not None else None
        return before if before is not None and before.reference != self.main else None


class LockError(Failed):
    """The lock cannot be read or written; it is left as it is."""

    def __str__(self) -> str:
        # Runs and the console read both out of it yet.
        return f"{self.cause}\n  remedy: {self.remedy}"


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
            cause = messages.NO_LOCK(path=str(path), words=str(error))
            raise LockError(cause, messages.RESTORE()) from None
        return cls(path, entries)

    def reload(self) -> None:
        """Read again what others may have written meanwhile. Raises LockError."""
        self.entries = LockFile.load(self.path).entries

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
            self._write({**fresh.entries, (host, service): moved})

    def drop_models(self, host: str, service: str, names: Collection[str]) -> None:
        """Take models out that are no more."""
        with _only_writer(self.path):
            fresh = LockFile.load(self.path)
            entry = fresh.service(host, service)
            left = {
                name: p
                if p.previous is None or p.previous.reference not in names
                # Nobody can go back to it any more.
                else replace(p, previous=None)
                for name, p in entry.models.items()
                if name not in names
            }
            self._write({**fresh.entries, (host, service): replace(entry, models=left)})

    def _write(self, entries: dict[tuple[str, str], ServiceLock]) -> None:
        import tomlkit  # noqa: PLC0415 (a run that changes nothing does not write)

        document = tomlkit.document()
        document.add(tomlkit.comment(HEADER))
        hosts: dict[str, Any] = {}
        for (host, service), entry in sorted(entries.items()):
            table: dict[str, Any] = {}
            if entry.image is not None:
                table["image"] = entry.image.table()
            if entry.models:
                table["models"] = {name: p.table() for name, p in sorted(entry.models.items())}
            if entry.main:
                table = {"main": entry.main, **table}
            hosts.setdefault(host, {})[service] = table
        document.add("hosts", tomlkit.item(hosts))
        write_atomically(self.path, tomlkit.dumps(document))
        self.entries = entries


def _parse(table: dict[str, Any]) -> ServiceLock:
    image = table.get("image")
    models = table.get("models", {})
    return ServiceLock(
        Proven.of(image) if image else None,
        {name: Proven.of(entry) for name, entry in models.items()},
        str(table.get("main", "")),
    )


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
