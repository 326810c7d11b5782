"""A fake Ollama server: the API of what the product asks, on models that lie on a volume.

The truth is on the disk, laid out as Ollama does it, so that the models outlive the container.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fake import registry
from tests.fake.content import MODEL_INFO, digest_of
from tests.fake.http import Request, Response, line_of, of_json

DEFAULT_REGISTRY, DEFAULT_NAMESPACE = "registry.ollama.ai", "library"
_NAME = re.compile(r"[A-Za-z0-9._:-]+(/[A-Za-z0-9._-]+){0,2}(:[A-Za-z0-9._-]+)?")
# For how long a paused container keeps whoever asks it waiting.
FROZEN_SECONDS = 30.0


def parts_of(name: str) -> tuple[str, str, str, str]:
    """Take a model's name apart: registry, namespace, name, tag. Raises ValueError."""
    if not _NAME.fullmatch(name) or ".." in name:
        raise ValueError("invalid model name")
    path, _, tag = name.rpartition(":") if ":" in name.rpartition("/")[2] else (name, "", "latest")
    *host, model = path.split("/")
    known = [DEFAULT_REGISTRY, DEFAULT_NAMESPACE]
    return (*[*known[: 2 - len(host)], *host], model, tag)  # type: ignore[return-value]


def shown(parts: tuple[str, str, str, str]) -> str:
    """Return the name that Ollama shows: what is default is left out."""
    host, namespace, model, tag = parts
    if host != DEFAULT_REGISTRY:
        return f"{host}/{namespace}/{model}:{tag}"
    return f"{model}:{tag}" if namespace == DEFAULT_NAMESPACE else f"{namespace}/{model}:{tag}"


@dataclass
class Store:
    """The models on a volume: manifests by name, blobs by digest."""

    folder: Path

    @property
    def manifests(self) -> Path:
        """The folder of the manifests."""
        return self.folder / "models" / "manifests"

    @property
    def blobs(self) -> Path:
        """The folder of the blobs."""
        return self.folder / "models" / "blobs"

    def blob(self, digest: str) -> Path:
        """Return where a blob lies."""
        return self.blobs / digest.replace(":", "-").replace("/", "_")

    def path(self, name: str) -> Path:
        """Return where the manifest of a model lies. Raises ValueError."""
        return self.manifests.joinpath(*parts_of(name))

    def names(self) -> list[str]:
        """Return the names of all models."""
        found = sorted(path for path in self.manifests.glob("*/*/*/*") if path.is_file())
        return [shown(path.relative_to(self.manifests).parts) for path in found]  # type: ignore[arg-type]

    def digest(self, name: str) -> str:
        """Return the digest of a model's manifest, "" where there is none."""
        return digest_of(self.path(name).read_bytes()) if self.has(name) else ""

    def has(self, name: str) -> bool:
        """Tell whether a model is there."""
        try:
            return self.path(name).is_file()
        except ValueError:
            return False

    def manifest(self, name: str) -> dict[str, Any]:
        """Return the manifest of a model."""
        found: dict[str, Any] = json.loads(self.path(name).read_bytes())
        return found

    def settings(self, name: str) -> dict[str, Any]:
        """Return the settings of a model."""
        digest = self.manifest(name)["config"]["digest"]
        found = json.loads(self.blob(digest).read_bytes())
        return found if isinstance(found, dict) else {}

    def size(self, name: str) -> int:
        """Return the bytes of a model."""
        manifest = self.manifest(name)
        return sum(part["size"] for part in (*manifest["layers"], manifest["config"]))

    def write(self, path: Path, content: bytes) -> None:
        """Write a file and the folders above it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def delete(self, name: str) -> None:
        """Delete a model, and the blobs that no other one needs."""
        self.path(name).unlink()
        needed = {
            self.blob(part["digest"])
            for other in self.names()
            for part in (*self.manifest(other)["layers"], self.manifest(other)["config"])
        }
        for blob in self.blobs.glob("sha256-*"):
            if blob not in needed:
                blob.unlink()


@dataclass
class FakeOllama:
    """A server of a version on a store. `generates`: whether any model does; `is_frozen`: it was
    paused and says nothing."""

    store: Store
    version: str
    generates: bool = True
    is_frozen: bool = False
    loaded: set[str] = field(default_factory=set)
    log: Callable[[str], None] = lambda line: None

    def handle(self, request: Request) -> Response:
        """Answer a request."""
        begun = time.monotonic()
        while self.is_frozen and time.monotonic() - begun < FROZEN_SECONDS:
            time.sleep(0.05)
        response = self._answer(request)
        self.log(f"[GIN] | {response.status} | {request.method} {request.path}")
        return response

    def _answer(self, request: Request) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        if request.path.startswith("/api/blobs/"):
            found = self.store.blob(request.path.removeprefix("/api/blobs/")).is_file()
            return Response(200 if found else 404)
        table: dict[str, Callable[[Mapping[str, Any]], Response]] = {
            "GET /": lambda asked: Response(200, b"Ollama is running"),
            "GET /api/version": lambda asked: of_json({"version": self.version}),
            "GET /api/tags": self._tags,
            "GET /api/ps": self._ps,
            "POST /api/show": self._show,
            "POST /api/generate": self._generate,
            "POST /api/chat": self._chat,
            "POST /api/embed": self._embed,
            "POST /api/pull": self._pull,
            "POST /api/copy": self._copy,
            "DELETE /api/delete": self._delete,
        }
        answer = table.get(f"{method} {request.path}")
        if answer is None:
            return Response(404, b"404 page not found", {"Content-Type": "text/plain"})
        asked = request.json
        return answer(asked if isinstance(asked, dict) else {})

    def _tags(self, asked: Mapping[str, Any]) -> Response:
        return of_json({"models": [self._described(name) for name in self.store.names()]})

    def _described(self, name: str) -> dict[str, Any]:
        details = {"parent_model": "", "format": "gguf", "family": "llama", "families": ["llama"]}
        return {
            "name": name,
            "model": name,
            "modified_at": "2026-11-23T00:39:51.398799061Z",
            "size": self.store.size(name),
            "digest": self.store.digest(name).removeprefix("sha256:"),
            "details": {**details, "parameter_size": "65K", "quantization_level": "F32"},
        }

    def _ps(self, asked: Mapping[str, Any]) -> Response:
        held = [name for name in self.store.names() if name in self.loaded]
        more = {"expires_at": "2026-11-23T01:00:00Z", "size_vram": 0, "context_length": 2048}
        return of_json({"models": [{**self._described(name), **more} for name in held]})

    def _show(self, asked: Mapping[str, Any]) -> Response:
        name = _model(asked)
        if not self.store.has(name):
            return _missing(name)
        tensor = {"name": "token_embd.weight", "type": "F32", "shape": [32, 64]}
        described = {
            "modelfile": f"FROM {name}\n",
            "template": "{{ .Prompt }}",
            "details": self._described(name)["details"],
            "model_info": dict(MODEL_INFO),
            "tensors": [tensor],
            "capabilities": self.store.settings(name).get("capabilities", ["completion"]),
            "modified_at": "2026-11-23T00:39:51.398799061Z",
        }
        return of_json(described)

    def _generate(self, asked: Mapping[str, Any]) -> Response:
        suffix = "insert" if asked.get("suffix") else ""
        return self._say(asked, asked.get("prompt"), suffix, lambda text: {"response": text})

    def _chat(self, asked: Mapping[str, Any]) -> Response:
        calls = [{"function": {"name": "get_time", "arguments": {"zone": "UTC"}}}]
        tools = {"tool_calls": calls} if asked.get("tools") else {}

        def message(text: str) -> dict[str, Any]:
            return {"message": {"role": "assistant", "content": text, **tools}}

        ability = "tools" if tools else ""
        return self._say(asked, asked.get("messages"), ability, message)

    def _say(
        self,
        asked: Mapping[str, Any],
        question: object,
        ability: str,
        wrap: Callable[[str], dict[str, Any]],
    ) -> Response:
        """Answer a question with a few words; without one the model is only loaded, or unloaded."""
        name = _model(asked)
        if not self.store.has(name):
            return _missing(name)
        settings = self.store.settings(name)
        if ability and ability not in settings.get("capabilities", ()):
            return of_json({"error": f"{name} does not support {ability}"}, 400)
        if asked.get("keep_alive") == 0:
            self.loaded.discard(name)
        else:
            self.loaded.add(name)
        head = {"model": name, "created_at": "2026-11-23T00:40:00Z"}
        if not question:
            reason = "load" if name in self.loaded else "unload"
            return of_json({**head, **wrap(""), "done": True, "done_reason": reason})
        if not self.generates or settings.get("behaviour") == "breaks":
            return of_json({"error": "llama runner process has terminated: exit status 2"}, 500)
        return _told(head, wrap, is_stream=bool(asked.get("stream", True)))

    def _embed(self, asked: Mapping[str, Any]) -> Response:
        name = _model(asked)
        if not self.store.has(name):
            return _missing(name)
        self.loaded.add(name)
        return of_json({"model": name, "embeddings": [[0.1, 0.2]], "prompt_eval_count": 3})

    def _copy(self, asked: Mapping[str, Any]) -> Response:
        source, destination = str(asked.get("source")), str(asked.get("destination"))
        if not self.store.has(source):
            return _missing(source)
        self.store.write(self.store.path(destination), self.store.path(source).read_bytes())
        return Response(200)

    def _delete(self, asked: Mapping[str, Any]) -> Response:
        name = _model(asked)
        if not self.store.has(name):
            return _missing(name)
        self.store.delete(name)
        self.loaded.discard(name)
        return Response(200)

    def _pull(self, asked: Mapping[str, Any]) -> Response:
        lines = self._pulled(_model(asked))
        if asked.get("stream") is False:
            last = json.loads(list(lines)[-1])
            return of_json(last, 500 if "error" in last else 200)
        return Response(200, headers={"Content-Type": "application/x-ndjson"}, chunks=lines)

    def _pulled(self, name: str) -> Iterator[bytes]:
        """Pull a model and tell of it; an error is the last line, and the status stays 200."""
        yield line_of({"status": "pulling manifest"})
        try:
            host, namespace, model, tag = parts_of(name)
            remote = registry.fetch(host, f"{namespace}/{model}", tag)
            for digest, size in remote.layers():
                told = {"status": f"pulling {digest[7:19]}", "digest": digest, "total": size}
                yield line_of(told)
                self.store.write(self.store.blob(digest), remote.get(digest))
                yield line_of({**told, "completed": size})
            yield line_of({"status": "verifying sha256 digest"})
            yield line_of({"status": "writing manifest"})
            self.store.write(self.store.path(name), remote.content)
            self._described(name)
        except registry.PullError as error:
            text = "file does not exist" if error.is_unknown else str(error)
            yield line_of({"error": f"pull model manifest: {text}"})
            return
        except (OSError, ValueError, KeyError, TypeError) as error:
            yield line_of({"error": f"invalid model: {error}"})
            return
        yield line_of({"status": "success"})


def _model(asked: Mapping[str, Any]) -> str:
    name = str(asked.get("model") or asked.get("name") or "")
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


def _missing(name: str) -> Response:
    return of_json({"error": f"model '{name}' not found"}, 404)


def _told(
    head: Mapping[str, Any], wrap: Callable[[str], dict[str, Any]], *, is_stream: bool
) -> Response:
    counts = {"prompt_eval_count": 3, "eval_count": 2, "eval_duration": 20_000_000}
    end = {"done": True, "done_reason": "stop", "total_duration": 30_000_000, **counts}
    if not is_stream:
        return of_json({**head, **wrap("ok."), **end})
    lines = [line_of({**head, **wrap(word), "done": False}) for word in ("ok", ".")]
    lines.append(line_of({**head, **wrap(""), **end}))
    return Response(200, headers={"Content-Type": "application/x-ndjson"}, chunks=lines)
