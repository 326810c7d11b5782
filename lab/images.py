"""The image of Ollama and its deliberately broken sisters, written straight into a registry.

Layer and configuration are made here, with fixed times: the same binary gives the same digest.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import re
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.errors import LabError
from lab.registry import CONFIG, LAYER, MANIFEST, Registry
from lab.shell import read

REPOSITORY = "ollama/ollama"
NEWER, OLDER = "0.24.0", "0.17.4"
VERSIONS = (NEWER, OLDER)
# To be raised when the images are made in another way.
RECIPE = 1
CREATED = "2026-01-01T00:00:00Z"
ENTRYPOINT = ("/bin/ollama",)
ENVIRONMENT = ("OLLAMA_HOST=0.0.0.0:11434", "HOME=/root", "PATH=/bin")
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LIBRARY = re.compile(r"(/\S+) \(0x")


@dataclass(frozen=True)
class BrokenImage:
    """The newer image with another configuration: the binary is the real one."""

    tag: str
    why: str
    environment: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()


BROKEN_IMAGES = (
    BrokenImage(
        "broken-start",
        "the server ends with 1 at once: its models folder cannot be made",
        {"OLLAMA_MODELS": "/dev/null/models"},
    ),
    BrokenImage(
        "broken-silent",
        "a model runner in place of the server: it runs and never answers on the port",
        entrypoint=("/bin/ollama", "runner"),
    ),
    BrokenImage(
        "broken-generate",
        "the server answers, and gives every model one nanosecond to load",
        {"OLLAMA_LOAD_TIMEOUT": "1ns"},
    ),
)


def recipe() -> str:
    """Return everything that the images are made from, as text."""
    return json.dumps([RECIPE, VERSIONS, repr(BROKEN_IMAGES)])


def root_archive(binary: Path) -> bytes:
    """Return the image's only layer as a tar: the binary, the libraries it names, certificates."""
    files = {"bin/ollama": binary, "etc/ssl/certs/ca-certificates.crt": CERTIFICATES}
    libraries = [Path(path) for path in _LIBRARY.findall(read(["ldd", str(binary)]))]
    if not libraries:
        raise LabError(f"ldd names no library of {binary}", "remove that file and run again")
    files |= {str(path).lstrip("/"): path for path in libraries}
    folders = {"root", "tmp"} | {
        str(parent) for name in files for parent in Path(name).parents if str(parent) != "."
    }
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in sorted(folders):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if name == "tmp" else 0o755
            archive.addfile(entry)
        for name, source in sorted(files.items()):
            _add_file(archive, name, source)
    return output.getvalue()


def push_image(registry: Registry, tag: str, layer: bytes) -> str:
    """Push an image of one layer (a tar) under a tag; return its digest."""
    packed = gzip.compress(layer, compresslevel=6, mtime=0)
    config = image_config(hashlib.sha256(layer).hexdigest())
    return _push(registry, tag, config, [_described(LAYER, registry, packed)])


def image_config(diff_id: str) -> dict[str, Any]:
    """Return the configuration of a working image: the official one's, as far as we use it."""
    return {
        "architecture": _ARCHITECTURES.get(platform.machine(), "amd64"),
        "os": "linux",
        "created": CREATED,
        "config": {
            "Env": list(ENVIRONMENT),
            "Entrypoint": list(ENTRYPOINT),
            "Cmd": ["serve"],
            "ExposedPorts": {"11434/tcp": {}},
        },
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]},
        "history": [{"created": CREATED, "created_by": "ollama-stack lab"}],
    }


def push_broken_images(registry: Registry) -> None:
    """Push the broken sisters of the newer image."""
    manifest = registry.manifest(REPOSITORY, NEWER).value
    config = json.loads(registry.blob(REPOSITORY, manifest["config"]["digest"]))
    for image in BROKEN_IMAGES:
        _push(registry, image.tag, broken_config(config, image), manifest["layers"])


def broken_config(config: Mapping[str, Any], image: BrokenImage) -> dict[str, Any]:
    """Return an image's configuration with a broken sister's changes."""
    inner = dict(config["config"])
    changed = {f"{name}={value}" for name, value in image.environment.items()}
    inner["Env"] = [*inner.get("Env", ()), *sorted(changed)]
    if image.entrypoint:
        inner["Entrypoint"] = list(image.entrypoint)
    return {**config, "config": inner}


def _push(
    registry: Registry, tag: str, config: Mapping[str, Any], layers: list[dict[str, Any]]
) -> str:
    content = json.dumps(config, sort_keys=True).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": _described(CONFIG, registry, content),
        "layers": layers,
    }
    body = json.dumps(manifest, sort_keys=True).encode()
    return registry.put_manifest(REPOSITORY, tag, body)


def _described(media_type: str, registry: Registry, content: bytes) -> dict[str, Any]:
    digest = registry.put_blob(REPOSITORY, content)
    return {"mediaType": media_type, "size": len(content), "digest": digest}


def _add_file(archive: tarfile.TarFile, name: str, source: Path) -> None:
    content = source.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644 if name.startswith("etc/") else 0o755
    archive.addfile(entry, io.BytesIO(content))
