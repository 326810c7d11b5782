"""A client of the lab's own registries: manifests, blobs and moving tags.

Source: the distribution specification; Ollama's models have the same shape as images.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from lab.errors import LabError
from lab.http import demand, request

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"
WEIGHTS = "application/vnd.ollama.image.model"


@dataclass(frozen=True)
class Manifest:
    """A manifest as the registry holds it; `digest` is "sha256:…" of its exact bytes."""

    content: bytes

    @property
    def digest(self) -> str:
        """The digest that names it."""
        return digest_of(self.content)

    @property
    def value(self) -> dict[str, Any]:
        """The parsed manifest."""
        parsed: dict[str, Any] = json.loads(self.content)
        return parsed

    @property
    def blobs(self) -> tuple[str, ...]:
        """The digests of its configuration and its layers."""
        return (str(self.value["config"]["digest"]), *self.layer_digests())

    def layer_digests(self, media_type: str = "") -> tuple[str, ...]:
        """Return the digests of its layers, of one media type if given."""
        layers = self.value["layers"]
        return tuple(
            str(layer["digest"]) for layer in layers if layer["mediaType"].startswith(media_type)
        )


@dataclass(frozen=True)
class Registry:
    """A registry at host:port, spoken to in plain HTTP."""

    address: str

    def is_up(self) -> bool:
        """Tell whether it answers."""
        return request("GET", self._url(""), timeout=2).status == 200

    def tags(self, repository: str) -> tuple[str, ...]:
        """Return the tags of a repository, sorted; empty where there is none."""
        reply = request("GET", self._url(f"{repository}/tags/list"))
        return tuple(sorted(reply.json().get("tags") or ())) if reply.status == 200 else ()

    def repositories(self) -> tuple[str, ...]:
        """Return the names of all repositories."""
        return tuple(demand("GET", self._url("_catalog?n=1000")).json()["repositories"])

    def manifest(self, repository: str, tag: str) -> Manifest:
        """Return the manifest under a tag or digest; LabError where there is none."""
        url = self._url(f"{repository}/manifests/{tag}")
        return Manifest(demand("GET", url, headers={"Accept": MANIFEST}).body)

    def digest(self, repository: str, tag: str) -> str:
        """Return the digest under a tag."""
        return self.manifest(repository, tag).digest

    def put_manifest(self, repository: str, tag: str, content: bytes) -> str:
        """Point a tag at a manifest, whose blobs must be there; return its digest."""
        url = self._url(f"{repository}/manifests/{tag}")
        demand("PUT", url, content, {"Content-Type": MANIFEST})
        return digest_of(content)

    def move_tag(self, repository: str, tag: str, source: str) -> str:
        """Point a tag at what another one points at; return the digest."""
        return self.put_manifest(repository, tag, self.manifest(repository, source).content)

    def mount_blob(self, repository: str, digest: str, source: str) -> None:
        """Let a repository have a blob of another one."""
        query = f"mount={digest}&from={source}"
        demand("POST", self._url(f"{repository}/blobs/uploads/?{query}"), b"")

    def blob(self, repository: str, digest: str) -> bytes:
        """Return a blob."""
        return demand("GET", self._url(f"{repository}/blobs/{digest}")).body

    def put_blob(self, repository: str, content: bytes) -> str:
        """Upload a blob unless it is there; return its digest."""
        digest = digest_of(content)
        if request("HEAD", self._url(f"{repository}/blobs/{digest}")).status == 200:
            return digest
        start = demand("POST", self._url(f"{repository}/blobs/uploads/"), b"")
        place = urljoin(self._url(""), start.headers["location"])
        url = f"{place}{'&' if '?' in place else '?'}digest={digest}"
        kind = {"Content-Type": "application/octet-stream"}
        demand("PUT", url, content, kind, timeout=300)
        return digest

    def _url(self, path: str) -> str:
        return f"http://{self.address}/v2/{path}"


def digest_of(content: bytes) -> str:
    """Return "sha256:…" of bytes."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def blob_file(storage: Path, digest: str) -> Path:
    """Return where a registry's storage folder keeps a blob."""
    hexadecimal = digest.removeprefix("sha256:")
    if len(hexadecimal) != 64:
        raise LabError(f"{digest!r} is no digest", "give one like sha256: and 64 hex digits")
    blobs = storage / "docker/registry/v2/blobs/sha256"
    return blobs / hexadecimal[:2] / hexadecimal / "data"
