"""A registry of images and models, by the distribution specification; and how to pull from one.

The engine and the servers pull over HTTP as the real ones do, and check every digest: so a registry
that lies is met by them as well.
"""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.fake.content import MANIFEST, Parts, digest_of
from tests.fake.http import Request, Response, of_json

_PATH = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")
PULL_SECONDS = 10
MOST_BYTES = 64 * 1024**2


@dataclass
class FakeRegistry:
    """Manifests and blobs by digest, tags by repository. With `token` it asks for one (Bearer)."""

    token: str = ""
    tags: dict[tuple[str, str], str] = field(default_factory=dict)
    manifests: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)

    def put(self, repository: str, tag: str, parts: Parts) -> str:
        """Offer something under a tag, which moves there; returns its digest."""
        self.manifests[parts.digest] = parts.manifest
        self.blobs.update(parts.blobs)
        self.tags[repository, tag] = parts.digest
        return parts.digest

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        if request.path == "/token":
            return of_json({"token": self.token})
        if self.token and request.headers.get("authorization") != f"Bearer {self.token}":
            return _error(401, "UNAUTHORIZED", **{"Www-Authenticate": self._challenge(request)})
        if request.path == "/v2/":
            return of_json({})
        match = _PATH.fullmatch(request.path)
        if match is None or request.method not in ("GET", "HEAD"):
            return _error(404, "NOT_FOUND")
        if match["kind"] == "manifests":
            return self._manifest(match["repository"], match["reference"])
        return self._blob(match["reference"], request.headers.get("range", ""))

    def _challenge(self, request: Request) -> str:
        here = request.headers.get("host", "")
        return f'Bearer realm="http://{here}/token",service="fake",scope="repository:x:pull"'

    def _manifest(self, repository: str, reference: str) -> Response:
        digest = self.tags.get((repository, reference), reference)
        content = self.manifests.get(digest)
        if content is None:
            return _error(404, "MANIFEST_UNKNOWN")
        headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": digest}
        return Response(200, content, headers)

    def _blob(self, digest: str, wanted: str) -> Response:
        content = self.blobs.get(digest)
        if content is None:
            return _error(404, "BLOB_UNKNOWN")
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted)
        if match is None:
            return Response(200, content, headers)
        first, last = int(match[1]), int(match[2] or len(content) - 1)
        part = content[first : last + 1]
        shown = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        return Response(206, part, {**headers, "Content-Range": shown})


def _error(status: int, code: str, **headers: str) -> Response:
    text = code.lower().replace("_", " ")
    return of_json({"errors": [{"code": code, "message": text}]}, status, **headers)


class PullError(Exception):
    """What a registry gave is not what it should be; `is_unknown`: it has no such manifest."""

    def __init__(self, text: str, *, is_unknown: bool = False) -> None:
        super().__init__(text)
        self.is_unknown = is_unknown


@dataclass(frozen=True)
class Remote:
    """A manifest that was fetched, and how to get its blobs."""

    content: bytes
    parsed: Mapping[str, Any]
    get: Callable[[str], bytes]

    @property
    def digest(self) -> str:
        """The digest of the bytes that came."""
        return digest_of(self.content)

    def layers(self) -> Iterator[tuple[str, int]]:
        """Yield digest and size of every layer, the settings last. Raises PullError."""
        try:
            for part in (*self.parsed["layers"], self.parsed["config"]):
                yield str(part["digest"]), int(part["size"])
        except (KeyError, TypeError, ValueError) as error:
            raise PullError(f"invalid manifest: {error}") from None


def fetch(host: str, repository: str, reference: str) -> Remote:
    """Fetch a manifest as the engine and Ollama do. Raises PullError."""
    content = _get(host, f"/v2/{repository}/manifests/{reference}")
    if reference.startswith("sha256:") and digest_of(content) != reference:
        raise PullError("manifest verification failed for digest " + reference)
    try:
        parsed = json.loads(content)
    except (ValueError, RecursionError):
        raise PullError("invalid character in the manifest") from None
    if not isinstance(parsed, dict):
        raise PullError("invalid manifest")
    return Remote(content, parsed, lambda digest: _blob(host, repository, digest))


def _blob(host: str, repository: str, digest: str) -> bytes:
    content = _get(host, f"/v2/{repository}/blobs/{digest}")
    if digest_of(content) != digest:
        raise PullError(f"digest mismatch, file must be downloaded again: want {digest}")
    return content


def _get(host: str, path: str) -> bytes:
    connection = http.client.HTTPConnection(host, timeout=PULL_SECONDS)
    try:
        connection.request("GET", path, headers={"Accept": MANIFEST})
        answer = connection.getresponse()
        content = answer.read(MOST_BYTES)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise PullError(f'Get "http://{host}{path}": {error}') from None
    finally:
        connection.close()
    if answer.status == 404:
        raise PullError("manifest unknown", is_unknown=True)
    if answer.status != 200:
        raise PullError(f"received unexpected HTTP status: {answer.status}")
    return content
