"""What a registry holds, without downloading it: manifests of images and of models.

Asked from the host, since it is the host that will pull. Source: the distribution and OCI
specifications; Ollama's registry speaks the same protocol without a token.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode, urlsplit

from tasks.declared.references import DOCKER_HUB, OLLAMA_REGISTRY, ImageReference, ModelReference
from tasks.declared.stack import Service, Stack
from tasks.shell.curl import (
    WEB,
    Unwritable,
    configuration,
    enveloped,
    is_token,
    opened,
    plain_curl,
    registry_words,
)
from tasks.shell.local import Result, Shell
from tasks.words.foreign import MIB, BadAnswer, Fields, read_json
from tasks.words.printable import printable

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
# A manifest has some kB; with its headers, and those of redirects, it has no more than this.
LARGEST_MANIFEST = 4 * MIB
LARGEST_REPLY = LARGEST_MANIFEST + MIB // 4
MOST_LAYERS = 256
LONGEST_HEADER = 4096
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_URL = re.compile(r"[A-Za-z0-9:/?#@!$&()*+,;=._~%\[\]-]+")
_LOOPBACK = re.compile(r"^(127\.|localhost(:|$)|\[::1\])")


@dataclass(frozen=True)
class Asker:
    """Whoever asks registries, for a run or for the console, by a shell.

    `stack` names the registries; `manifests` keeps what they answered, by kind and name.
    """

    stack: Stack
    shell: Shell
    manifests: dict[tuple[str, str], Any] = field(default_factory=dict)

    def sh(self, script: str, *, stdin: str | None = None, timeout: float | None = 60) -> Result:
        """Run a script."""
        return self.shell.sh(script, stdin=stdin, timeout=timeout)


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
class Reply:
    """What came back: `status` is 0 where nobody answered, `digest` that of the body's bytes."""

    status: int
    digest: str
    headers: str
    body: str
    error: str


def image_for(
    asker: Asker, service: Service, architecture: Callable[[], str] = str
) -> RemoteManifest | RegistryFault:
    """Look the image of a service up, once; its layers for an architecture, "" for none."""
    image = asker.stack.image_reference(service)
    key = ("image", str(image))
    if key not in asker.manifests:
        asker.manifests[key] = image_manifest(asker, image, architecture())
    found: RemoteManifest | RegistryFault = asker.manifests[key]
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
    reply = fetch(asker, url, accept)
    if reply.status == 401:
        token = _token(asker, reply.headers, is_plain=is_plain)
        if token and not is_token(token):
            return RegistryFault(
                f"the registry {registry} sent a token that is none, for image {image}",
                "tell whoever runs the registry; it may be another one than it should be",
            )
        if token:
            reply = fetch(asker, url, accept, token)
    found = result(reply, f"image {image}", registry, "image")
    own = digest_for(reply.body, architecture)
    if own and isinstance(found, RemoteManifest):
        part = fetch(asker, _manifest_url(registry, is_plain, manifests + own), accept, token)
        detail = result(part, f"image {image}", registry, "image")
        if isinstance(detail, RemoteManifest):
            return replace(found, layers=detail.layers)
    return found


def digest_for(body: str, architecture: str) -> str:
    """Return the digest of an index's manifest for Linux on an architecture, "" where none is."""
    try:
        for one in Fields(read_json(body, LARGEST_MANIFEST)).objects("manifests"):
            platform = one.object("platform")
            words = (platform.text("os"), platform.text("architecture"))
            if words == ("linux", architecture):
                return _digest(one)
    except BadAnswer:
        return ""
    return ""


def model_manifest(asker: Asker, model: str) -> RemoteManifest | RegistryFault:
    """Look a model up at registry.ollama.ai or at the declared registry."""
    registry = asker.stack.model_registry or OLLAMA_REGISTRY
    # The bytes that Ollama will store: it asks for this kind and no other.
    reply = fetch(
        asker, model_url(asker.stack, ModelReference.parse(model).manifest_path), MANIFEST
    )
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
    url = model_url(asker.stack, f"{path}/blobs/{digest}")
    words = registry_words(url, timeout=BYTES_TIMEOUT, options=["-f", "-r", f"0-{count - 1}"])
    fetch = f"{plain_curl(words)} 2>/dev/null | head -c {count} | gzip -c"
    script = f"sh -c {shlex.quote(enveloped(WEB, fetch, count + MIB))}"
    try:
        found = asker.sh(script, stdin=_configured(asker.stack), timeout=BYTES_TIMEOUT + 15)
    except Unwritable:
        return b""
    return b"".join(unpacked(data, count) for _, data in opened(found.stdout))


def unpacked(data: bytes, limit: int) -> bytes:
    """Unpack gzip, up to `limit` bytes: what was packed by somebody else may be endless."""
    try:
        return zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(data, limit)
    except zlib.error:
        return b""


def _manifest_url(registry: str, is_plain: bool, path: str) -> str:
    return f"{'http' if is_plain else 'https'}://{registry}/v2/{path}"


def fetch(asker: Asker, url: str, accept: str, token: str = "") -> Reply:
    """Fetch what is at a URL; secrets (token, proxy) go through curl's configuration on stdin.

    Whatever bytes come are carried as base64: their digest is that of the manifest.
    """
    options = ["-i", "-H", f"Accept: {accept}", "-w", TRAILER]
    words = registry_words(url, timeout=TIMEOUT, options=options)
    script = f"sh -c {shlex.quote(enveloped(WEB, plain_curl(words), LARGEST_REPLY))}"
    try:
        stdin = _configured(asker.stack, token)
    except Unwritable as unwritable:
        return Reply(0, "", "", "", str(unwritable))
    said = asker.sh(script, stdin=stdin, timeout=TIMEOUT + 15)
    raw = b"".join(data for _, data in opened(said.stdout))
    if len(raw) >= LARGEST_REPLY:
        return Reply(0, "", "", "", f"it sent more than {LARGEST_REPLY / MIB:g} MiB")
    return parse_reply(raw, printable(said.stderr.strip()))


def _configured(stack: Stack, token: str = "") -> str:
    """Return what curl is told on its standard input. Raises Unwritable."""
    proxy = stack.https_proxy or stack.http_proxy
    return configuration(token=token, proxy=proxy, no_proxy=stack.no_proxy, ca=stack.ca_certificate)


def parse_reply(raw: bytes, error: str) -> Reply:
    """Take headers and body apart by the sizes that curl writes at the end."""
    content, _, trailer = raw.rpartition(b"\n")
    words = trailer.split()
    if len(words) != 2 or not all(word.isdigit() and len(word) < 16 for word in words):
        return Reply(0, "", "", "", error)
    status, size = int(words[0]), int(words[1])
    at = len(content) - size
    if at < 0:
        return Reply(0, "", "", "", error or "its answer is not whole")
    body = content[at:]
    digest = f"sha256:{hashlib.sha256(body).hexdigest()}"
    return Reply(
        status, digest, content[:at].decode(errors="replace"), body.decode(errors="replace"), error
    )


def _token(asker: Asker, headers: str, *, is_plain: bool) -> str:
    """Get an anonymous pull token where the registry names its token service."""
    url = token_url(headers, is_plain=is_plain)
    if not url:
        return ""
    try:
        value = Fields(read_json(fetch(asker, url, "application/json").body, LARGEST_MANIFEST))
        return value.text("token") or value.text("access_token")
    except BadAnswer:
        return ""


def token_url(headers: str, *, is_plain: bool) -> str:
    """Return where a registry gives tokens, from its Www-Authenticate header; "" where nowhere.

    Only by https, or by http too where the registry itself is asked by it (`is_plain`): nothing
    else than a web server is ever asked for a token.
    """
    for line in headers.split("\n"):
        name, _, value = line.partition(":")
        kind, _, rest = value.strip()[:LONGEST_HEADER].partition(" ")
        if (name.lower(), kind.lower()) == ("www-authenticate", "bearer"):
            parts = dict(re.findall(r'\b(realm|service|scope)="([^"]*)"', rest))
            query = urlencode({key: parts[key] for key in ("service", "scope") if key in parts})
            return _realm(parts.get("realm", ""), query, is_plain=is_plain)
    return ""


def _realm(realm: str, query: str, *, is_plain: bool) -> str:
    schemes = ("https", "http") if is_plain else ("https",)
    try:
        parts = urlsplit(realm)
        is_url = parts.scheme in schemes and bool(parts.hostname) and parts.username is None
    except ValueError:
        return ""
    if not is_url or not _URL.fullmatch(realm):
        return ""
    return f"{realm}{'&' if parts.query else '?'}{query}"


def _digest(layer: Fields) -> str:
    """Return the digest of a layer or manifest, which goes into URLs. Raises BadAnswer."""
    digest = layer.needed("digest")
    if not _DIGEST.fullmatch(digest):
        raise BadAnswer("it has a digest that is none")
    return digest


def result(reply: Reply, what: str, registry: str, kind: str) -> RemoteManifest | RegistryFault:
    if reply.status != 200:
        return fault(reply.status, what, registry, reply.error, kind)
    try:
        manifest = Fields(read_json(reply.body, LARGEST_MANIFEST), "the manifest")
        layers = [*manifest.objects("layers")]
        layers += [manifest.object("config")] if manifest.value.get("config") else []
        if len(layers) > MOST_LAYERS:
            raise BadAnswer("it has too many layers")
        sizes = {_digest(layer): layer.size("size") for layer in layers}
        kinds = {_digest(layer): layer.text("mediaType") for layer in layers}
        return RemoteManifest(reply.digest, sizes, kinds)
    except BadAnswer:
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
