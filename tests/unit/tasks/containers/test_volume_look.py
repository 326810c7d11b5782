"""The manifests on a volume, on which a container may have made anything (attack 24)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.containers.look import files_function
from tasks.containers.parse import models_on_volume
from tasks.shell.local import LocalShell

MANIFEST = "registry.ollama.ai/library/tiny/v1"


def listed(volume: Path) -> dict[str, str] | None:
    """Return what is listed of a volume: digests by model."""
    said = LocalShell().sh(f"{files_function()}files '{volume}'", timeout=30).stdout
    found = models_on_volume(f"{said}\n")
    return None if found is None else {name: model.digest for name, model in found.items()}


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    path = tmp_path / "a volume" / "models" / "manifests" / MANIFEST
    path.parent.mkdir(parents=True)
    path.write_text("manifest")
    return tmp_path / "a volume"


def test_the_models_are_named_with_the_digest_of_their_manifest(volume: Path) -> None:
    digest = hashlib.sha256(b"manifest").hexdigest()
    assert listed(volume) == {"tiny:v1": f"sha256:{digest}"}


def test_a_volume_without_models_is_known_to_have_none(tmp_path: Path) -> None:
    assert listed(tmp_path) == {}
    (tmp_path / "models").mkdir()
    assert listed(tmp_path) == {}


def test_a_volume_that_is_not_there_is_not_known(tmp_path: Path) -> None:
    assert listed(tmp_path / "none") is None


def link_to_secrets(volume: Path, secrets: Path) -> None:
    (volume / "models" / "manifests").rename(volume / "models" / "away")
    (volume / "models" / "manifests").symlink_to(secrets)


def link_above(volume: Path, secrets: Path) -> None:
    (volume / "models").rename(volume / "away")
    (volume / "models").symlink_to(secrets.parent)


def dangling(volume: Path, secrets: Path) -> None:
    (volume / "models").rename(volume / "away")
    (volume / "models").symlink_to(volume / "nowhere")


@pytest.mark.parametrize("plant", [link_to_secrets, link_above, dangling])
def test_attack_24_a_link_in_place_of_the_manifests_is_not_followed(
    volume: Path, tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    secrets = tmp_path / "host" / "manifests"
    secret = secrets / MANIFEST
    secret.parent.mkdir(parents=True)
    secret.write_text("of the host")
    plant(volume, secrets)
    assert listed(volume) is None


def test_attack_24_no_link_below_is_followed_and_no_pipe_opened(
    volume: Path, tmp_path: Path
) -> None:
    library = volume / "models" / "manifests" / "registry.ollama.ai" / "library"
    outside = tmp_path / "host" / "v1"
    outside.parent.mkdir()
    outside.write_text("of the host")
    (library / "folder").symlink_to(outside.parent)
    (library / "file").mkdir()
    (library / "file" / "v1").symlink_to(outside)
    (library / "pipe").mkdir()
    os.mkfifo(library / "pipe" / "v1")
    found = listed(volume)
    assert found is not None and list(found) == ["tiny:v1"]


def test_a_name_with_a_line_break_makes_no_model_and_ends_no_list(volume: Path) -> None:
    odd = volume / "models" / "manifests" / "x\nend\ny"
    odd.write_text("x")
    found = listed(volume)
    assert found is not None and list(found) == ["tiny:v1"]
