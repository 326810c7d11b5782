"""Versions of formats: an older file is carried on step by step, a newer one is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tasks.words.format_version import Document, Format, NewerFormatError


def renamed(document: Document) -> Document:
    return {key.replace("colour", "color"): value for key, value in document.items()}


def doubled(document: Document) -> Document:
    return {**document, "size": document["size"] * 2}


THREE = Format("version", oldest=1, migrations=(renamed, doubled))


@pytest.mark.parametrize(
    ("document", "color", "size"),
    [
        ({"colour": "red", "size": 1}, "red", 2),
        ({"version": 1, "colour": "red", "size": 1}, "red", 2),
        ({"version": 2, "color": "red", "size": 1}, "red", 2),
        ({"version": 3, "color": "red", "size": 2}, "red", 2),
    ],
)
def test_each_version_takes_the_migrations_that_it_lacks(
    document: dict[str, Any], color: str, size: int
) -> None:
    before = dict(document)
    assert THREE.migrated(document) == {"version": 3, "color": color, "size": size}
    assert document == before


def test_a_newer_one_is_refused_by_its_version() -> None:
    with pytest.raises(NewerFormatError) as caught:
        THREE.migrated({"version": 4})
    assert str(caught.value) == "is of version 4, and this ollama-stack reads up to 3"


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, True, None, [1]])
def test_what_is_no_version_is_refused(version: Any) -> None:
    with pytest.raises(ValueError, match="is no version: 1, 2 and so on are"):
        THREE.migrated({"version": version})


def test_a_format_without_migrations_has_one_version() -> None:
    one = Format("version", oldest=1)
    assert (one.newest, one.migrated({})) == (1, {"version": 1})
