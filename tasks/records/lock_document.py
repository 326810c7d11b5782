"""The text of stack.lock: TOML, in stable order.

What stands in it and is not known here, as another ollama-stack of the same version may write it,
is kept with the entry in which it stands.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from tasks.records.proven import Proven, ServiceLock
from tasks.words.format_version import Document, Format

HEADER = "Written by ollama-stack: what was proven, by host and service. Keep it; do not edit it."

# By host and service.
Entries = dict[tuple[str, str], ServiceLock]

_PROVEN_KEYS = tuple(f.name for f in fields(Proven) if f.name not in ("previous", "unknown"))
_TEXTS = ("reference", "digest", "at", "processor")
_NEEDED = ("reference", "digest", "at")
_NUMBERS = ("size", "rate", "context")
_LISTS = ("abilities", "missed")


@dataclass(frozen=True)
class LockDocument:
    """What a lock holds: the entries of the services, and what else stands beside them."""

    entries: Entries = field(default_factory=dict)
    unknown: Mapping[str, Any] = field(default_factory=dict)


def _numbered(document: Document) -> Document:
    """Carry on a lock of before there were versions: it gets a number, and stays as it is."""
    return document


FORMAT = Format("version", oldest=0, migrations=(_numbered,))


def parsed(text: str) -> LockDocument:
    """Read the text of a lock. Raises ValueError, and NewerFormatError."""
    try:
        document = FORMAT.migrated(tomllib.loads(text))
        entries = {
            (host, service): _service_lock(table)
            for host, services in document.get("hosts", {}).items()
            for service, table in services.items()
        }
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (TypeError, AttributeError) as error:
        raise ValueError(str(error)) from None
    return LockDocument(entries, _others(document, (FORMAT.key, "hosts")))


def serialised(lock: LockDocument) -> str:
    """Return the text of a lock."""
    import tomlkit  # noqa: PLC0415 (a run that changes nothing does not write)

    hosts: dict[str, Any] = {}
    for (host, service), entry in sorted(lock.entries.items()):
        hosts.setdefault(host, {})[service] = _service_table(entry)
    document = tomlkit.document()
    document.add(tomlkit.comment(HEADER))
    document.add(FORMAT.key, tomlkit.item(FORMAT.newest))
    # In TOML what is no table has to stand before the first one.
    for key, value in sorted(lock.unknown.items(), key=lambda one: isinstance(one[1], dict)):
        document.add(key, tomlkit.item(value))
    document.add("hosts", tomlkit.item(hosts))
    return tomlkit.dumps(document)


def _others(table: Document, known: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key not in known}


def _service_lock(table: Document) -> ServiceLock:
    image = table.get("image")
    return ServiceLock(
        _proven(image) if image else None,
        {name: _proven(entry) for name, entry in table.get("models", {}).items()},
        str(table.get("main", "")),
        _others(table, ("image", "models", "main")),
    )


def _service_table(entry: ServiceLock) -> dict[str, Any]:
    table: dict[str, Any] = {}
    if entry.main:
        table["main"] = entry.main
    if entry.image is not None:
        table["image"] = _proven_table(entry.image)
    if entry.models:
        table["models"] = {name: _proven_table(p) for name, p in sorted(entry.models.items())}
    return {**table, **entry.unknown}


def _proven(table: Document) -> Proven:
    for name in _NEEDED:
        if name not in table:
            raise ValueError(f"{name} is missing")
    for name in _TEXTS:
        if not isinstance(table.get(name, ""), str):
            raise TypeError(f"{name} = {table[name]!r} is no text")
    for name in _NUMBERS:
        if not isinstance(table.get(name, 0), int | float):
            raise TypeError(f"{name} = {table[name]!r} is no number")
    known = {key: table[key] for key in _PROVEN_KEYS if key in table}
    lists = {key: tuple(map(str, table.get(key, ()))) for key in _LISTS}
    before = table.get("previous")
    return Proven(
        **{**known, **lists},
        previous=_proven(before) if before else None,
        unknown=_others(table, (*_PROVEN_KEYS, "previous")),
    )


def _proven_table(proven: Proven) -> dict[str, Any]:
    """Return a table without what nobody told."""
    values = {key: getattr(proven, key) for key in _PROVEN_KEYS}
    table = {k: [*v] if isinstance(v, tuple) else v for k, v in values.items() if v}
    if proven.previous is not None:
        table["previous"] = _proven_table(proven.previous)
    return {**table, **proven.unknown}
