"""Images of Ollama: configurations of the working one and of its broken sisters."""

from __future__ import annotations

import io
import sys
import tarfile
from pathlib import Path

import pytest

from lab import images
from lab.images import BROKEN_IMAGES, broken_config, image_config, root_archive


def test_the_configuration_is_like_the_official_one() -> None:
    config = image_config("0" * 64)["config"]
    assert config["Entrypoint"] == ["/bin/ollama"]
    assert config["Cmd"] == ["serve"]
    assert "OLLAMA_HOST=0.0.0.0:11434" in config["Env"]
    assert config["ExposedPorts"] == {"11434/tcp": {}}


@pytest.mark.parametrize("image", BROKEN_IMAGES, ids=lambda image: image.tag)
def test_a_broken_sister_differs_and_leaves_the_original_alone(image: images.BrokenImage) -> None:
    config = image_config("0" * 64)
    changed = broken_config(config, image)
    assert changed["config"] != config["config"]
    assert changed["rootfs"] == config["rootfs"]
    assert config == image_config("0" * 64)


def test_the_layer_holds_the_binary_its_libraries_and_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificates = tmp_path / "certificates"
    certificates.write_text("none")
    monkeypatch.setattr(images, "CERTIFICATES", certificates)
    binary = Path(sys.executable).resolve()
    first, second = root_archive(binary), root_archive(binary)
    assert first == second
    with tarfile.open(fileobj=io.BytesIO(first)) as archive:
        names = archive.getnames()
    assert "bin/ollama" in names
    assert "etc/ssl/certs/ca-certificates.crt" in names
    assert any("libc.so" in name for name in names)
    assert names.index("bin") < names.index("bin/ollama")
