"""Names of images and models: what registries, Docker and Ollama call them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from tasks.declared import messages

DOCKER_HUB = "docker.io"
OLLAMA_REGISTRY = "registry.ollama.ai"
DEFAULT_TAG = "latest"
_HOST = r"(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(?::[0-9]+)?"
_IMAGE = re.compile(
    r"(?P<repository>[a-z0-9]+(?:[._-]+[a-z0-9]+)*(?:/[a-z0-9]+(?:[._-]+[a-z0-9]+)*)*)"
    r":(?P<tag>[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})"
)
_MODEL = re.compile(
    r"(?P<path>[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._-]*)?)"
    r":(?P<tag>[A-Za-z0-9][A-Za-z0-9._-]*)"
)


@dataclass(frozen=True)
class ImageReference:
    """registry/repository:tag of an image. Source: distribution/reference."""

    registry: str
    repository: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> ImageReference:
        """Parse "ollama/ollama:0.24.0" or "host:5000/ollama/ollama:0.24.0". Raises ValueError."""
        registry, _, rest = text.partition("/")
        if not rest or not ("." in registry or ":" in registry or registry == "localhost"):
            registry, rest = DOCKER_HUB, text
        match = _IMAGE.fullmatch(rest)
        if match is None or not re.fullmatch(_HOST, registry):
            raise ValueError(messages.NOT_AN_IMAGE())
        repository = match["repository"]
        if registry == DOCKER_HUB and "/" not in repository:
            repository = f"library/{repository}"
        return cls(registry, repository, match["tag"])

    def at(self, mirror: str) -> ImageReference:
        """Return the same image at a mirror of Docker Hub; itself where there is no mirror."""
        if not mirror or self.registry != DOCKER_HUB:
            return self
        return replace(self, registry=mirror)

    @property
    def name(self) -> str:
        """The name without the tag, as Docker knows it ("ollama/ollama", "host:5000/x/y")."""
        if self.registry == DOCKER_HUB:
            return self.repository.removeprefix("library/")
        return f"{self.registry}/{self.repository}"

    def __str__(self) -> str:
        return f"{self.name}:{self.tag}"


def image_path(reference: str) -> str:
    """Return the repository of an image at whatever registry ("ollama/ollama"), "" for none."""
    try:
        return ImageReference.parse(reference).repository
    except ValueError:
        return ""


@dataclass(frozen=True)
class ModelReference:
    """namespace/name:tag of a model. Source: ollama's types/model/name.go."""

    namespace: str
    name: str
    tag: str

    @classmethod
    def parse(cls, text: str) -> ModelReference:
        """Parse "qwen2.5-coder:7b" or "user/model:tag". Raises ValueError."""
        match = _MODEL.fullmatch(text if ":" in text else f"{text}:{DEFAULT_TAG}")
        if match is None:
            raise ValueError(messages.NOT_A_MODEL())
        namespace, _, name = match["path"].rpartition("/")
        return cls(namespace or "library", name, match["tag"])

    def at(self, registry: str) -> str:
        """Return the name that Ollama pulls: with the registry in front, if one is given."""
        return f"{registry}/{self.namespace}/{self.name}:{self.tag}" if registry else str(self)

    @property
    def manifest_path(self) -> str:
        """The path of the manifest at a registry, under /v2/."""
        return f"{self.namespace}/{self.name}/manifests/{self.tag}"

    def __str__(self) -> str:
        path = self.name if self.namespace == "library" else f"{self.namespace}/{self.name}"
        return f"{path}:{self.tag}"
