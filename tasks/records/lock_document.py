"""The text of stack.lock: TOML, in stable order."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from tasks.records.proven import Proven, ServiceLock

HEADER = "Written by ollama-stack: what was proven, by host and service. Keep it; do not edit it."

# By host and service.
Entries = dict[tuple[str, str], ServiceLock]


def parsed(text: str) -> Entries:
    """Read the text of a lock. Raises ValueError."""
    try:
        hosts = tomllib.loads(text).get("hosts", {})
        return {
            (host, service): _service_lock(table)
            for host, services in hosts.items()
            for service, table in services.items()
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(str(error)) from None


def serialised(entries: Mapping[tuple[str, str], ServiceLock]) -> str:
    """Return the text of a lock."""
    import tomlkit  # noqa: PLC0415 (a run that changes nothing does not write)

    document = tomlkit.document()
    document.add(tomlkit.comment(HEADER))
    hosts: dict[str, Any] = {}
    for (host, service), entry in sorted(entries.items()):
        hosts.setdefault(host, {})[service] = _service_table(entry)
    document.add("hosts", tomlkit.item(hosts))
    return tomlkit.dumps(document)


def _service_lock(table: Mapping[str, Any]) -> ServiceLock:
    image = table.get("image")
    models = table.get("models", {})
    return ServiceLock(
        _proven(image) if image else None,
        {name: _proven(entry) for name, entry in models.items()},
        str(table.get("main", "")),
    )


def _service_table(entry: ServiceLock) -> dict[str, Any]:
    table: dict[str, Any] = {}
    if entry.main:
        table["main"] = entry.main
    if entry.image is not None:
        table["image"] = _proven_table(entry.image)
    if entry.models:
        table["models"] = {name: _proven_table(p) for name, p in sorted(entry.models.items())}
    return table


def _proven(table: Mapping[str, Any]) -> Proven:
    for name in ("reference", "digest", "at", "processor"):
        if not isinstance(table.get(name, ""), str):
            raise TypeError(f"{name} = {table[name]!r} is no text")
    before = table.get("previous")
    words = {key: tuple(map(str, table.get(key, ()))) for key in ("abilities", "missed")}
    return Proven(**{**table, **words, "previous": _proven(before) if before else None})


def _proven_table(proven: Proven) -> dict[str, Any]:
    """Return a table without what is not known."""
    previous = _proven_table(proven.previous) if proven.previous is not None else None
    values = asdict(replace(proven, previous=None)) | {"previous": previous}
    listed = {k: [*v] if isinstance(v, tuple) else v for k, v in values.items()}
    return {key: value for key, value in listed.items() if value}
