"""NVIDIA's own nvidia-ctk, built from its Go module: what it writes is compared with ours."""

from __future__ import annotations

from pathlib import Path

from lab.paths import cache_folder
from lab.say import step
from lab.source import go_install
from lab.tools import ensure_packages

VERSION = "1.20.1"
MODULE = "github.com/NVIDIA/nvidia-container-toolkit"


def nvidia_ctk() -> Path:
    """Return the binary; built if the cache lacks it."""
    binary = cache_folder() / "build" / f"nvidia-ctk-{VERSION}" / "nvidia-ctk"
    if not binary.is_file():
        ensure_packages(("gcc", "libc6-dev"), "Install what the build of nvidia-ctk needs")
        with step(f"Build nvidia-ctk {VERSION} from its source (about 20 seconds, once)"):
            told = f"-s -w -X {MODULE}/internal/info.version={VERSION}"
            module = f"{MODULE}/cmd/nvidia-ctk@v{VERSION}"
            go_install(module, binary, ["-ldflags", told], {"CGO_ENABLED": "1"})
    return binary
