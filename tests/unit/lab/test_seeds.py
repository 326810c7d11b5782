"""First contents of registries: kept, restored, and never changed by those who use them."""

from __future__ import annotations

from pathlib import Path

from lab import seeds

BLOB = "docker/registry/v2/blobs/sha256/ab/abcd/data"
LINK = "docker/registry/v2/repositories/library/x/_manifests/tags/v1/current/link"
UPLOAD = "docker/registry/v2/repositories/library/x/_uploads/1/data"


def filled(folder: Path) -> Path:
    for name in (BLOB, LINK, UPLOAD):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_a_seed_comes_back_without_unfinished_uploads(tmp_path: Path) -> None:
    name = seeds.name_of("recipe")
    assert not seeds.has("models", name)
    seeds.keep("models", name, filled(tmp_path / "storage"))
    assert seeds.has("models", name)
    seeds.restore("models", name, tmp_path / "other")
    assert (tmp_path / "other" / BLOB).read_text() == BLOB
    assert (tmp_path / "other" / LINK).read_text() == LINK
    assert not (tmp_path / "other" / UPLOAD).exists()


def test_moving_a_tag_leaves_the_seed_as_it_was(tmp_path: Path) -> None:
    name = seeds.name_of("recipe")
    seeds.keep("models", name, filled(tmp_path / "storage"))
    seeds.restore("models", name, tmp_path / "other")
    # A registry writes a tag's link in place.
    (tmp_path / "other" / LINK).write_text("elsewhere")
    seeds.restore("models", name, tmp_path / "third")
    assert (tmp_path / "third" / LINK).read_text() == LINK


def test_another_recipe_replaces_the_seed_of_its_kind(tmp_path: Path) -> None:
    storage = filled(tmp_path / "storage")
    first, second = seeds.name_of("one"), seeds.name_of("two")
    seeds.keep("images", first, storage)
    seeds.keep("models", first, storage)
    seeds.keep("models", second, storage)
    assert seeds.has("models", second)
    assert not seeds.has("models", first)
    assert seeds.has("images", first)
