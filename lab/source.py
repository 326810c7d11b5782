"""Real Ollama, CPU only, built from its Go module, and the second engine likewise.

Binaries stay in the cache by version. A Go module carries no vendored headers: three libraries
are given from elsewhere.
"""

from __future__ import annotations

import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab.errors import LabError
from lab.paths import cache_folder
from lab.say import step
from lab.shell import find, run
from lab.tools import BUILD_PACKAGES, ensure_packages

BUILD_SECONDS = 3600
MINIAUDIO = "miniaudio==1.71"
MOBY = "github.com/moby/moby/v2"
MOBY_VERSION = "v2.0.0-beta.15"
# What the engine says of itself: a module has no release number.
MOBY_NAME = "29.0.0+moby.2.0.0.beta.15"
_MINUTES = {"0.24.0": "4 minutes", "0.17.4": "3 minutes"}


def ollama(version: str) -> Path:
    """Return the binary of a version of Ollama; built if the cache lacks it."""
    binary = cache_folder() / "build" / f"ollama-{version}" / "ollama"
    if binary.is_file():
        return binary
    ensure_packages(BUILD_PACKAGES, "Install what the build of Ollama needs")
    headers = _miniaudio()
    about = _MINUTES.get(version, "minutes")
    with step(f"Build Ollama {version} from its source (about {about}, once)"):
        go_install(
            f"github.com/ollama/ollama@v{version}",
            binary,
            ["-ldflags", f"-s -w -X github.com/ollama/ollama/version.Version={version}"],
            {"CGO_ENABLED": "1", "CGO_CXXFLAGS": f"-O2 -I{headers}"},
        )
    return binary


def dockerd() -> Path:
    """Return the binary of the 29-era engine; built if the cache lacks it."""
    return _moby(
        "dockerd", "Build the second Docker Engine from its source (about 4 minutes, once)"
    )


def docker_proxy() -> Path:
    """Return that engine's proxy for published ports; an older one lacks some of its options."""
    return _moby("docker-proxy", "Build the second engine's port proxy")


def _moby(name: str, label: str) -> Path:
    binary = cache_folder() / "build" / f"moby-{MOBY_VERSION}" / name
    if not binary.is_file():
        with step(label):
            module = f"{MOBY}/cmd/{name}@{MOBY_VERSION}"
            version = f"-X {MOBY}/dockerversion.Version={MOBY_NAME}"
            flags = ["-tags", "no_libnftables", "-ldflags", version]
            go_install(module, binary, flags, {})
    return binary


def go_install(module: str, binary: Path, flags: list[str], environment: Mapping[str, str]) -> None:
    """Build a program of a Go module into the cache. Raises LabError."""
    go = find("go")
    if go is None:
        raise LabError(
            "Go is not installed, and this is built from its source",
            "install Go (https://go.dev/dl), or run where Docker Hub answers",
        )
    binary.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_folder()) as folder:
        run(
            [go, "install", *flags, module],
            timeout=BUILD_SECONDS,
            log="build",
            environment={"GOBIN": folder, "GOFLAGS": "-buildvcs=false", **environment},
        )
        (Path(folder) / binary.name).rename(binary)


def _miniaudio() -> Path:
    """Return a folder that holds miniaudio/miniaudio.h, from the source archive on PyPI."""
    folder = cache_folder() / "include"
    header = folder / "miniaudio" / "miniaudio.h"
    if header.is_file():
        return folder
    with step("Fetch the header miniaudio.h"), tempfile.TemporaryDirectory() as name:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        run(
            [*pip, "--no-binary", ":all:", "--dest", name, MINIAUDIO],
            timeout=300,
            log="build",
            remedy="is PyPI reachable, and pip in this environment?",
        )
        archive = next(Path(name).glob("miniaudio-*.tar.gz"))
        with tarfile.open(archive) as source:
            member = next(
                entry for entry in source if entry.name.endswith("/miniaudio/miniaudio.h")
            )
            content = source.extractfile(member)
            if content is None:
                raise LabError("miniaudio's archive holds no header", "run again")
            header.parent.mkdir(parents=True, exist_ok=True)
            header.write_bytes(content.read())
    return folder
