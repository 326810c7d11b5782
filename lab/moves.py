"""A tag of the image that moves, as `latest` does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab import state
from lab.images import REPOSITORY
from lab.servers import image_registry


@contextmanager
def moved_image_tag(tag: str, source: str) -> Iterator[str]:
    """Point a tag of the image at another one for the time of a block; yields its digest."""
    registry = image_registry(state.load())
    before = registry.manifest(REPOSITORY, tag).content
    try:
        yield registry.move_tag(REPOSITORY, tag, source)
    finally:
        registry.put_manifest(REPOSITORY, tag, before)
