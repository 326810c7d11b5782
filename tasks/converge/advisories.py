"""Releases of Ollama that a person should not run without knowing it (fault 10)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.containers.observed import Snapshot
from tasks.declared.references import ImageReference
from tasks.declared.stack import Stack

ADVISORIES = (
    ((0, 17, 1), "CVE-2026-7482"),
    ((0, 21, 0), "a race that can damage partial downloads"),
)
_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def image_notes(stack: Stack) -> Iterator[str]:
    """Warn of each declared release that is older than a known mend; other tags say nothing."""
    for image in sorted({service.image for service in stack.selected if service.active}):
        for known in known_faults(ImageReference.parse(image).tag):
            yield f"{image} has {known}"


def server_notes(stack: Stack, snapshot: Snapshot) -> Iterator[str]:
    """Warn of each server that runs an older release than a known mend, whatever its tag says."""
    for service in stack.selected:
        version = snapshot.server(service.name).version
        if not ImageReference.parse(service.image).tag.startswith(version):
            for known in known_faults(version):
                yield f"{service.name} runs Ollama {version}, which has {known}"


def known_faults(version: str) -> Iterator[str]:
    """Name what a release has that a later one mended; nothing for what is no release."""
    match = _RELEASE.match(version)
    release = tuple(int(part) for part in match.groups()) if match else None
    for mended, name in ADVISORIES:
        if release is not None and release < mended:
            yield f"{name}; it is mended since {'.'.join(map(str, mended))}"
