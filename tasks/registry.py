"""What a registry holds, without downloading it: manifests of images and of models.

Asked from the host, since it is the host that will pull. Source: the distribution and OCI
specifications; Ollama's registry speaks the same protocol without a token.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol
from urllib.parse import urlencode

from tasks.ollama.facts import observe
from tasks.references import DOCKER_HUB, OLLAMA_REGISTRY, ImageReference, ModelReference
from tasks.run import Run
from tasks.shell import Shell
from tasks.stack import Service, Stack

DOCKER_HUB_HOST = "registry-1.docker.io"
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
# An image is an index of manifests, one for each architecture, where its publisher made one.
IMAGE_MANIFESTS = (
    MANIFEST,
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)
TIMEOUT = 15
BYTES_TIMEOUT = 60
# What curl writes after headers and body: the status and the size of the body.
TRAILER = r"\n%{http_code} %{size_download}"
_LOOPBACK = re.compile(r"^(127\.|localhost(:|$)|\[::1\])")


class Asker(Shell, Protocol):
    """Whoever asks registries: a run, or the console. `manifests` keeps what was found."""

    stack: Stack
    manifests: dict[tuple[str, str], Any]


@dataclass(frozen=True)
class RemoteManifest:
    """A manifest at a registry. `digest` is "sha256:…"; `layers` are bytes by digest, of the host's
    architecture where the manifest is an index; none where it does not tell. `kinds` are the
    layers' media types."""

    digest: str
    layers: Mapping[str, int] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """The bytes of all layers."""
        return sum(self.layers.values())

    def of_kind(self, ending: str) -> dict[str, int]:
        """Return the bytes of the layers whose media type ends so, by digest."""
        return {
            d: size for d, size in self.layers.items() if self.kinds.get(d, "").endswith(ending)
        }


@dataclass(frozen=True)
class RegistryFault:
    """Why a registry gave no manifest, in words of the user."""

    cause: str
    remedy: str
    is_unreachable: bool = False


@dataclass(frozen=True)
class _Reply:
    status: int
    digest: str
    headers: str
    body: str
    error: str


def look_up_image(run: Run, service: Service) -> RemoteManifest | RegistryFault:
    """Look the image of a service up, once in a run."""
    image = run.stack.image_reference(service)
    key = ("image", str(image))
    if key not in run.manifests:
        run.manifests[key] = image_manifest(run, image, observe(run).architecture)
    found: RemoteManifest | RegistryFault = run.manifests[key]
    return found


def look_up_model(asker: Asker, model: str) -> RemoteManifest | RegistryFault:
    """Look a model up, once in a run."""
    key = ("model", model)
    if key not in asker.manifests:
        asker.manifests[key] = model_manifest(asker, model)
    found: RemoteManifest | RegistryFault = asker.manifests[key]
    return found


def image_manifest(
    asker: Asker, image: ImageReference, architecture: str = ""
) -> RemoteManifest | RegistryFault:
    """Look an image up at Docker Hub or at the mirror; its layers for an architecture ("amd64")."""
    registry = DOCKER_HUB_HOST if image.registry == DOCKER_HUB else image.registry
    is_plain = bool(_LOOPBACK.match(registry)) or asker.stack.image_mirror_insecure
    manifests = f"{image.repository}/manifests/"
    url = _manifest_url(registry, is_plain, manifests + image.tag)
    accept = ", ".join(IMAGE_MANIFESTS)
    token = ""
    reply = _get(asker, url, accept)
    if reply.status == 401:
        token = _token(asker, reply.headers)
        if token:
            reply = _get(asker, url, accept, token)
    found = result(reply, f"image {image}", registry, "image")
    own = digest_for(reply.body, architecture)
    if own and isinstance(found, RemoteManifest):
        part = _get(asker, _manifest_url(registry, is_plain, manifests + own), accept, token)
        detail = result(part, f"image {image}", registry, "image")
        if isinstance(detail, RemoteManifest):
            return replace(found, layers=detail.layers)
    return found


def digest_for(body: str, architecture: str) -> str:
    """Return the digest of an index's manifest for Linux on an architecture, "" where none is."""
    try:
        manifests = json.loads(body).get("manifests") or ()
        platforms = [(m["digest"], m.get("platform") or {}) for m in manifests]
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    wanted = {"os": "linux", "architecture": architecture}
    return next((str(d) for d, p in platforms if wanted.items() <= p.items()), "")


def model_manifest(asker: Asker, model: str) -> RemoteManifest | RegistryFault:
    """Look a model up at registry.ollama.ai or at the declared registry."""
    registry = asker.stack.model_registry or OLLAMA_REGISTRY
    # The bytes that Ollama will store: it asks for this kind and no other.
    reply = _get(asker, model_url(asker.stack, ModelReference.parse(model).manifest_path), MANIFEST)
    return result(reply, f"model {model}", registry, "model")


def model_url(stack: Stack, path: str) -> str:
    """Return where a path ("library/x/manifests/y") is at the registry of models."""
    is_plain = bool(stack.model_registry) and stack.model_registry_insecure
    return _manifest_url(stack.model_registry or OLLAMA_REGISTRY, is_plain, path)


def model_beginning(asker: Asker, model: str, digest: str, count: int) -> bytes:
    """Return the first bytes of a model's layer; fewer where the registry gives no more.

    The host may be far away, so they travel compressed. A registry that knows no ranges would send
    all of it: it is cut off.
    """
    path = ModelReference.parse(model).manifest_path.partition("/manifests/")[0]
    url = shlex.quote(model_url(asker.stack, f"{path}/blobs/{digest}"))
    fetch = (
        f"curl -sSfL --max-time {BYTES_TIMEOUT} --connect-timeout 8 -K - -r 0-{count - 1} {url}"
        f" 2>/dev/null | head -c {count} | gzip -c | base64"
    )
    configuration = "\n".join(_proxy_lines(asker.stack)) + "\n"
    found = asker.sh(f"sh -c {shlex.quote(fetch)}", stdin=configuration, timeout=BYTES_TIMEOUT + 15)
    try:
        return gzip.decompress(base64.b64decode(found.stdout))
    except (OSError, ValueError, EOFError):
        return b""


def _manifest_url(registry: str, is_plain: bool, path: str) -> str:
    return f"{'http' if is_plain else 'https'}://{registry}/v2/{path}"


def _get(asker: Asker, url: str, accept: str, token: str = "") -> _Reply:
    """Fetch a manifest; secrets (token, proxy) go through curl's configuration on stdin.

    Whatever bytes come are carried as base64: their digest is that of the manifest.
    """
    lines = [f'header = "Authorization: Bearer {token}"'] if token else []
    fetch = (
        f"curl -sSLi --max-time {TIMEOUT} --connect-timeout 8 -K -"
        f" -H {shlex.quote(f'Accept: {accept}')} -w {shlex.quote(TRAILER)} {shlex.quote(url)}"
        " | base64 -w0"
    )
    configuration = "\n".join([*lines, *_proxy_lines(asker.stack)]) + "\n"
    result = asker.sh(f"sh -c {shlex.quote(fetch)}", stdin=configuration, timeout=TIMEOUT + 15)
    return parse_reply(base64.b64decode(result.stdout), result.stderr.strip())


def _proxy_lines(stack: Stack) -> list[str]:
    lines = []
    proxy = stack.https_proxy or stack.http_proxy
    if proxy:
        lines.append(f'proxy = "{proxy}"')
    if stack.no_proxy:
        lines.append(f'noproxy = "{stack.no_proxy}"')
    if stack.ca_certificate:
        lines.append(f'cacert = "{stack.ca_certificate}"')
    return lines


def parse_reply(raw: bytes, error: str) -> _Reply:
    """Take headers and body apart by the sizes that curl writes at the end."""
    content, _, trailer = raw.rpartition(b"\n")
    words = trailer.split()
    if len(words) != 2 or not all(word.isdigit() for word in words):
        return _Reply(0, "", "", "", error)
    status, size = int(words[0]), int(words[1])
    at = len(content) - size
    body = content[at:]
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return _Reply(
        status, digest, content[:at].decode(errors="replace"), body.decode(errors="replace"), error
    )


def _token(asker: Asker, headers: str) -> str:
    """Get an anonymous pull token where the registry names its token service."""
    url = token_url(headers)
    if not url:
        return ""
    try:
        value: dict[str, Any] = json.loads(_get(asker, url, "application/json").body)
    except ValueError:
        return ""
    return str(value.get("token") or value.get("access_token") or "")


def token_url(headers: str) -> str:
    """Return where a registry gives tokens, from its Www-Authenticate header; "" where nowhere."""
    match = re.search(r"(?im)^www-authenticate: *bearer (.+)$", headers)
    if match is None:
        return ""
    parts = dict(re.findall(r'(\w+)="([^"]*)"', match[1]))
    query = urlencode({key: parts[key] for key in ("service", "scope") if key in parts})
    return f"{parts['realm']}?{query}" if "realm" in parts else ""


def result(reply: _Reply, what: str, registry: str, kind: str) -> RemoteManifest | RegistryFault:
    if reply.status != 200:
        return fault(reply.status, what, registry, reply.error, kind)
    try:
        manifest = json.loads(reply.body)
        layers = [*manifest.get("layers", ()), *filter(None, [manifest.get("config")])]
        sizes = {x["digest"]: int(x["size"]) for x in layers}
        kinds = {x["digest"]: str(x.get("mediaType", "")) for x in layers}
        if min(sizes.values(), default=0) < 0:
            raise ValueError("a size below nothing")
        return RemoteManifest(reply.digest, sizes, kinds)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return RegistryFault(
            f"the registry {registry} sent a damaged manifest for {what}",
            "run again; if it stays so, tell whoever runs the registry",
        )


def fault(status: int, what: str, registry: str, error: str, kind: str) -> RegistryFault:
    """Put an answer of a registry into words; every status has a message of its own."""
    offline = "no internet here? `./main.sh setup --demo` shows the whole stack without it"
    if status == 0:
        setting = "image_mirror" if kind == "image" else "model_registry"
        reason = error.removeprefix("curl: ") or "no answer"
        remedy = f"check the network, http_proxy and {setting}; {offline}"
        if "wrong version number" in error or "packet length" in error:
            remedy = f"if it speaks plain HTTP, set {setting}_insecure = true"
        if "certificate" in error:
            remedy = 'name the private CA with ca_certificate = "/path/on/the/host.pem"'
        return RegistryFault(f"the registry {registry} does not answer ({reason})", remedy, True)
    if status in (401, 403):
        return RegistryFault(
            f"the registry {registry} wants a login for {what} (HTTP {status})",
            f"check the spelling of {what}; private registries with a login are not supported yet",
        )
    if status == 404:
        return RegistryFault(
            f"the registry {registry} has no {what}",
            f"check the spelling; `{kind}` and its tag must exist there",
        )
    if status == 412:
        return RegistryFault(
            f"{what} needs a newer Ollama than this one (HTTP 412)",
            "declare a newer image, or an older model",
        )
    if status == 429:
        return RegistryFault(
            f"the registry {registry} limits how often it may be asked (HTTP 429)",
            "wait some minutes and run again, or declare a mirror",
        )
    return RegistryFault(
        f"the registry {registry} has a fault of its own (HTTP {status})",
        "run again later; what is here goes on serving",
        status >= 500,
    )
