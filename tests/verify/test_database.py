"""The inventory in the database says what is declared and what is really there."""

from __future__ import annotations

from tasks.declared.stack import Service
from tests.verify.conftest import Note
from tests.verify.look import Look

COLUMNS = ["name", "container_name", "port", "installed_version", "status", "last_updated"]


def test_table_has_the_promised_columns(look: Look, note: Note) -> None:
    actual = [row["name"] for row in look.query("PRAGMA table_info(models)")]
    assert actual == COLUMNS, f"models has {', '.join(actual) or 'no columns'}"
    note(look.stack.database)


def test_row_matches(look: Look, service: Service, note: Note) -> None:
    held, error = look.models(service)
    expected = _declared(look, service, "active")
    if service.model in held:
        expected["installed_version"] = f"{service.model}@{held[service.model][:12]}"
    _compare(look, service, expected)
    assert service.model in held, (
        f"no installed_version is right: {error or service.model + ' is not at its server'}"
    )
    note(str(expected["installed_version"]))


def test_row_is_inactive(look: Look, inactive: Service, note: Note) -> None:
    _compare(look, inactive, _declared(look, inactive, "inactive"))
    note("inactive")


def _declared(look: Look, service: Service, status: str) -> dict[str, object]:
    return {
        "container_name": look.stack.container_name(service),
        "port": service.port,
        "status": status,
    }


def _compare(look: Look, service: Service, expected: dict[str, object]) -> None:
    name, row = look.row(service)
    assert row is not None, f"there is no row {name} in {look.stack.database}"
    differences = [
        f"{column} is {row.get(column)!r}, should be {value!r}"
        for column, value in expected.items()
        if row.get(column) != value
    ]
    assert not differences, f"row {name}: {'; '.join(differences)}"
