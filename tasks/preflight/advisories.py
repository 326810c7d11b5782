"""Releases of Ollama that a person should not run without knowing it (fault 10)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tasks.references import ImageReference
from tasks.stack import Stack

ADVISORIES = (
    ((0, 17, 1), "CVE-2026-7482"),
    ((0, 21, 0), "a race that can damage partial downloads"),
)
_RELEASE = re.compile(r"(\d+)\.(\d+)\.(\d+)")


def image_notes(stack: Stack) -> Iterator[str]:
    """Warn of each declared release that is older than a known mend; other tags say nothing."""
    for image in sorted({service.image for service in stack.selected if service.active}):
        match = _RELEASE.match(ImageReference.parse(image).tag)
        if match is None:
            continue
        release = tuple(int(part) for part in match.groups())
        for mended, name in ADVISORIES:
            if release < mended:
                since = ".".join(map(str, mended))
                yield f"{image} has {name}; it is mended since {since}"
