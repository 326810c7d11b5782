"""What the database holds, as rows: the schema, and rows made from what was observed. Pure.

Nothing volatile is a row (the last look, what is in memory), so that a run without changes
leaves the file as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tasks.containers.observed import Snapshot
from tasks.declared.stack import Service, Stack
from tasks.run.decided import HostDetails
from tasks.words.digests import short
from tasks.words.steps import LOCAL

SCHEMA_VERSION = 1
ACTIVE = "active"
INACTIVE = "inactive"
# The first table is the interface to other programs: exactly these columns.
SCHEMA = """
CREATE TABLE IF NOT EXISTS models (
    name TEXT PRIMARY KEY,
    container_name TEXT,
    port INTEGER,
    installed_version TEXT,
    status TEXT DEFAULT 'inactive',
    last_updated TEXT
);
CREATE TABLE IF NOT EXISTS hosts (
    name TEXT PRIMARY KEY,
    os TEXT,
    gpu TEXT,
    driver TEXT,
    cuda TEXT,
    docker TEXT,
    toolkit TEXT,
    last_updated TEXT
);
CREATE TABLE IF NOT EXISTS services (
    name TEXT PRIMARY KEY,
    host TEXT,
    role TEXT,
    state TEXT,
    ollama TEXT,
    image TEXT,
    image_digest TEXT,
    context INTEGER,
    verdict TEXT,
    tokens_per_second REAL,
    last_updated TEXT
);
CREATE TABLE IF NOT EXISTS service_models (
    service TEXT,
    model TEXT,
    declared INTEGER,
    digest TEXT,
    size INTEGER,
    last_updated TEXT,
    PRIMARY KEY (service, model)
);
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY,
    run TEXT,
    at TEXT,
    host TEXT,
    service TEXT,
    action TEXT,
    subject TEXT,
    why TEXT
);
"""
KEYS: Mapping[str, tuple[str, ...]] = {
    "models": ("name",),
    "hosts": ("name",),
    "services": ("name",),
    "service_models": ("service", "model"),
}
Row = dict[str, Any]


@dataclass
class Inventory:
    """All rows of one host, by table. `unknown` are the services whose models nobody could read,
    `unseen` those of which nothing is known now: all their rows stay as they are."""

    host: str
    unknown: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)
    rows: dict[str, list[Row]] = field(default_factory=dict)
    events: list[Row] = field(default_factory=list)


def row_name(host: str, service: str) -> str:
    """Name a service in the database: "qwen" on this machine, "host/qwen" on another."""
    return service if host == LOCAL else f"{host}/{service}"


def inventory_of(
    host: str,
    stack: Stack,
    snapshot: Snapshot,
    details: HostDetails,
    proofs: Mapping[str, tuple[str, float]],
    events: Iterable[Row],
) -> Inventory:
    """Make the rows of one host. `proofs` are verdict and tokens/s of what this run proved."""
    found = Inventory(host, events=[storable(event) for event in events])
    row: Row = {"name": host, **details.__dict__}
    found.rows["hosts"] = [row if "" in snapshot.unknown else row | {"docker": snapshot.version}]
    for service in stack.services:
        name = row_name(host, service.name)
        if snapshot.unknown_of(service.name):
            found.unseen.add(name)
            continue
        proof = proofs.get(service.name)
        found.rows.setdefault("models", []).append(_model_row(name, stack, service, snapshot))
        found.rows.setdefault("services", []).append(
            _service_row(name, host, stack, service, snapshot, proof)
        )
        if snapshot.models(service.name) is None:
            found.unknown.add(name)
        found.rows.setdefault("service_models", []).extend(_held_rows(name, service, snapshot))
    found.rows = {table: [storable(row) for row in rows] for table, rows in found.rows.items()}
    return found


def storable(row: Row) -> Row:
    """Return a row as SQLite can hold it: no number beyond 64 bits, no half of a character."""
    return {name: _storable_value(value) for name, value in row.items()}


def _storable_value(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    is_beyond = isinstance(value, int) and abs(value) >= 2**63
    return None if is_beyond or value != value else value  # noqa: PLR0124 (only NaN differs)


def is_active(service: Service, snapshot: Snapshot) -> bool:
    """Tell whether a service is up: its server answers and holds the declared model."""
    return service.active and service.model in snapshot.server(service.name).models


def installed_version(service: Service, snapshot: Snapshot) -> str | None:
    """Return "model:tag@" and 12 digits of its digest; None where the model is not there."""
    held = (snapshot.models(service.name) or {}).get(service.model)
    return f"{service.model}@{short(held.digest)}" if held else None


def _model_row(name: str, stack: Stack, service: Service, snapshot: Snapshot) -> Row:
    row: Row = {
        "name": name,
        "container_name": stack.container_name(service),
        "port": service.port,
        "status": ACTIVE if is_active(service, snapshot) else INACTIVE,
    }
    if snapshot.models(service.name) is not None:
        row["installed_version"] = installed_version(service, snapshot)
    return row


def _service_row(
    name: str,
    host: str,
    stack: Stack,
    service: Service,
    snapshot: Snapshot,
    proof: tuple[str, float] | None,
) -> Row:
    container = snapshot.named(stack.container_name(service))
    image = snapshot.images.get(container.image_id) if container else None
    row: Row = {
        "name": name,
        "host": host,
        "role": service.role,
        "state": container.status if container else "absent",
        "ollama": snapshot.server(service.name).version or None,
        "image": container.image if container else None,
        "image_digest": image.digests[0] if image and image.digests else None,
        "context": service.context,
    }
    if proof is not None:
        row |= {"verdict": proof[0], "tokens_per_second": round(proof[1], 1)}
    return row


def _held_rows(name: str, service: Service, snapshot: Snapshot) -> Iterable[Row]:
    for model in (snapshot.models(service.name) or {}).values():
        row: Row = {
            "service": name,
            "model": model.name,
            "declared": int(model.name in service.models),
            "digest": model.digest,
        }
        # A server that does not answer tells no sizes: what is known of them stays.
        yield row | {"size": model.size} if model.size else row
