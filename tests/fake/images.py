"""The images of the fake engine: ids, tags and digests, with Docker's rules of what holds what."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import translate
from typing import Any

from tests.fake import registry
from tests.fake.content import BEHAVIOUR_LABEL, VERSION_LABEL


@dataclass
class Image:
    """An image. `id` is the digest of its settings, as on engines without containerd's store."""

    id: str
    settings: Mapping[str, Any]
    size: int
    tags: set[str] = field(default_factory=set)
    digests: set[str] = field(default_factory=set)

    def label(self, name: str) -> str:
        """Return a label, "" where there is none."""
        return str((self.settings.get("config", {}).get("Labels") or {}).get(name, ""))

    @property
    def version(self) -> str:
        """The version of Ollama that is in it."""
        return self.label(VERSION_LABEL)

    @property
    def behaviour(self) -> str:
        """How a container that is made from it behaves."""
        return self.label(BEHAVIOUR_LABEL)

    def inspect(self) -> dict[str, Any]:
        """Return what GET /images/NAME/json shows."""
        return {
            "Id": self.id,
            "RepoTags": sorted(self.tags),
            "RepoDigests": sorted(self.digests),
            "Parent": "",
            "Comment": "",
            "Created": "2026-01-01T00:00:00Z",
            "Container": "",
            "DockerVersion": "",
            "Author": "",
            "Config": self.settings["config"],
            "Architecture": self.settings["architecture"],
            "Os": self.settings["os"],
            "Size": self.size,
            "VirtualSize": self.size,
            "GraphDriver": {"Data": {}, "Name": "overlay2"},
            "RootFS": {"Type": "layers", "Layers": self.settings["rootfs"]["diff_ids"]},
            "Metadata": {"LastTagTime": "0001-01-01T00:00:00Z"},
        }


class Images:
    """All images of an engine, by id."""

    def __init__(self) -> None:
        self.all: dict[str, Image] = {}

    def find(self, reference: str) -> Image | None:
        """Return an image by tag, digest, id, or the beginning of its id."""
        if reference in self.all:
            return self.all[reference]
        for image in self.all.values():
            if reference in image.tags or reference in image.digests:
                return image
        bare = reference.removeprefix("sha256:")
        if re.fullmatch(r"[0-9a-f]{6,64}", bare):
            return next((i for i in self.all.values() if i.id[7:].startswith(bare)), None)
        return self.find(f"{reference}:latest") if ":" not in reference.rpartition("/")[2] else None

    def pull(self, name: str, tag: str) -> Iterator[dict[str, Any]]:
        """Pull NAME:TAG (or NAME@DIGEST), and tell of it as the engine does. Raises PullError."""
        host, _, repository = name.partition("/")
        remote = registry.fetch(host, repository, tag)
        yield {"status": f"Pulling from {repository}", "id": tag}
        size, settings = 0, b""
        for digest, told in remote.layers():
            settings = remote.get(digest)
            short = digest[7:19]
            detail = {"current": len(settings), "total": told}
            yield {"status": "Downloading", "progressDetail": detail, "id": short}
            yield {"status": "Pull complete", "progressDetail": {}, "id": short}
            size += len(settings)
        self._add(name, tag, remote.digest, digest, settings, size)
        yield {"status": f"Digest: {remote.digest}"}
        yield {"status": f"Status: Downloaded newer image for {name}:{tag}"}

    def _add(
        self, name: str, tag: str, digest: str, identity: str, settings: bytes, size: int
    ) -> None:
        try:
            found = Image(identity, json.loads(settings), size)
            found.inspect()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise registry.PullError(f"invalid settings of an image: {error}") from None
        image = self.all.setdefault(identity, found)
        image.digests.add(f"{name}@{digest}")
        if not tag.startswith("sha256:"):
            self.tag(image, f"{name}:{tag}")

    def tag(self, image: Image, reference: str) -> None:
        """Give an image a tag; whichever had it loses it."""
        for other in self.all.values():
            other.tags.discard(reference)
        image.tags.add(reference)

    def untag(self, image: Image, reference: str) -> list[dict[str, str]]:
        """Take one reference away; the image goes with its last one. Returns what was done."""
        repository = re.split(r"@|:(?=[^/]*$)", reference)[0]
        image.tags.discard(reference)
        image.digests.discard(reference)
        gone = [reference]
        if not any(tag.rpartition(":")[0] == repository for tag in image.tags):
            # The engine forgets the digests of a repository with its last tag.
            gone += [d for d in sorted(image.digests) if d.startswith(f"{repository}@")]
            image.digests -= {*gone}
        done = [{"Untagged": name} for name in gone]
        if not image.tags and not image.digests:
            del self.all[image.id]
            done.append({"Deleted": image.id})
        return done

    def list(self, patterns: list[str]) -> list[dict[str, Any]]:
        """Return what GET /images/json shows; with patterns only what these name, as 20.10 does."""
        found = []
        for image in self.all.values():
            tags = sorted(tag for tag in image.tags if _is_named(tag, patterns))
            if patterns and not tags:
                continue
            shown = {
                "Containers": -1,
                "Created": 1767225600,
                "Id": image.id,
                "Labels": image.settings["config"].get("Labels"),
                "ParentId": "",
                "RepoDigests": None if patterns else sorted(image.digests),
                "RepoTags": tags or None,
                "SharedSize": -1,
                "Size": image.size,
                "VirtualSize": image.size,
            }
            found.append(shown)
        return found


def _is_named(tag: str, patterns: list[str]) -> bool:
    """Tell whether a pattern of the filter names a tag: a star goes over no slash (path.Match)."""
    return not patterns or any(
        re.fullmatch(translate(p).replace(".*", "[^/]*"), tag) for p in patterns
    )
