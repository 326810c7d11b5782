"""What is really there: parsers of the Engine API's and Ollama's own objects.

The same functions serve both transports: curl over the connector, and the console's clients.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tasks.stack import service_url

# Labels that make a container or a volume ours.
STACK_LABEL = "ollama-stack.stack"
SERVICE_LABEL = "ollama-stack.service"
SPEC_LABEL = "ollama-stack.spec"
IMAGE_LABEL = "ollama-stack.image"
# How a container is given the GPU: as `--gpus all` does, or as a CDI device; "" for not at all.
Attachment = Literal["", "gpus", "cdi"]
CDI_DEVICE = "nvidia.com/gpu=all"


@dataclass(frozen=True)
class ObservedImage:
    """An image of the engine. `digests` are manifest digests ("sha256:…") at any registry.

    `size` is what it takes on the disk, in bytes.
    """

    id: str
    tags: tuple[str, ...]
    digests: tuple[str, ...]
    environment: Mapping[str, str]
    size: int = 0

    @classmethod
    def from_inspect(cls, attrs: Mapping[str, Any]) -> ObservedImage:
        """Parse GET /images/{name}/json."""
        config = attrs.get("Config") or {}
        digests = {d.partition("@")[2] for d in attrs.get("RepoDigests") or () if "@" in d}
        return cls(
            id=attrs["Id"],
            tags=tuple(attrs.get("RepoTags") or ()),
            digests=tuple(sorted(digests)),
            environment=environment(config.get("Env")),
            size=attrs.get("Size") or 0,
        )


@dataclass(frozen=True)
class KeptImage:
    """An image under a tag that this stack made for itself ("repository:ollama-qwen-previous")."""

    reference: str
    id: str
    digests: tuple[str, ...]
    size: int

    @classmethod
    def among(cls, images: Iterable[ObservedImage], prefix: str) -> Iterator[KeptImage]:
        """Yield one for each tag of these images that begins with the stack's prefix."""
        for image in {image.id: image for image in images}.values():
            for reference in image.tags:
                if reference.rpartition(":")[2].startswith(prefix):
                    yield cls(reference, image.id, image.digests, image.size)

    def is_for(self, purpose: str) -> bool:
        """Tell whether the tag is that of a container ("ollama-qwen") and an ending."""
        return self.reference.rpartition(":")[2] == purpose


@dataclass(frozen=True)
class ObservedContainer:
    """A container of the engine, as far as this project sets or needs to know it."""

    id: str
    name: str
    status: str
    started_at: str
    exit_code: int
    error: str
    health: str
    image: str
    image_id: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    ports: tuple[str, ...]
    mounts: tuple[str, ...]
    networks: tuple[str, ...]
    network_mode: str
    restart: str
    memory: int
    nano_cpus: int
    devices: tuple[str, ...]
    health_check: tuple[str, ...]
    log: str

    @classmethod
    def from_inspect(cls, attrs: Mapping[str, Any]) -> ObservedContainer:
        """Parse GET /containers/{id}/json."""
        state, config, host = attrs["State"], attrs["Config"], attrs["HostConfig"]
        networks = (attrs.get("NetworkSettings") or {}).get("Networks") or {}
        log = host.get("LogConfig") or {}
        return cls(
            id=attrs["Id"],
            name=attrs["Name"].lstrip("/"),
            status=state["Status"],
            started_at=state.get("StartedAt", ""),
            exit_code=state.get("ExitCode", 0),
            error=state.get("Error", ""),
            health=(state.get("Health") or {}).get("Status", ""),
            image=config.get("Image", ""),
            image_id=attrs["Image"],
            labels=config.get("Labels") or {},
            environment=environment(config.get("Env")),
            ports=port_texts(host.get("PortBindings")),
            mounts=mount_texts(attrs.get("Mounts")),
            networks=tuple(sorted(networks)),
            network_mode=host.get("NetworkMode", ""),
            restart=restart_text(host.get("RestartPolicy")),
            memory=host.get("Memory") or 0,
            nano_cpus=host.get("NanoCpus") or 0,
            devices=device_texts(host.get("DeviceRequests")),
            health_check=health_texts(config.get("Healthcheck")),
            log=log_text(log.get("Type", ""), log.get("Config")),
        )

    def is_of(self, stack: str) -> bool:
        """Tell whether the container belongs to the stack with this prefix."""
        return self.labels.get(STACK_LABEL) == stack

    @property
    def service(self) -> str:
        """The service that the labels name."""
        return self.labels.get(SERVICE_LABEL, "")

    @property
    def published(self) -> set[int]:
        """The host ports that the container publishes."""
        ports = {text.partition("->")[0].rpartition(":")[2] for text in self.ports}
        return {int(port) for port in ports if port}

    @property
    def url(self) -> str:
        """Where the container itself is reached from the host; "" where it publishes nothing."""
        if not self.ports:
            return ""
        address, _, port = self.ports[0].partition("->")[0].rpartition(":")
        return service_url(address, int(port)) if port else ""

    @property
    def holds_ports(self) -> bool:
        """Tell whether the published ports are taken by the container now."""
        return self.status in ("running", "paused", "restarting")

    @property
    def attachment(self) -> Attachment:
        """How the container was given the GPU."""
        if not self.devices:
            return ""
        return "cdi" if any(CDI_DEVICE in text for text in self.devices) else "gpus"

    @property
    def is_running(self) -> bool:
        """Tell whether the container runs and is not paused."""
        return self.status == "running"


def environment(pairs: Iterable[str] | None) -> dict[str, str]:
    """Turn ["NAME=value"] into a mapping."""
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs or ())}


def port_texts(bindings: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Turn PortBindings into "127.0.0.1:11434->11434/tcp"; an empty address is 0.0.0.0."""
    return tuple(
        sorted(
            f"{binding.get('HostIp') or '0.0.0.0'}:{binding.get('HostPort', '')}->{port}"
            for port, published in (bindings or {}).items()
            for binding in published or ()
        )
    )


def mount_texts(mounts: Iterable[Mapping[str, Any]] | None) -> tuple[str, ...]:
    """Turn Mounts into "volume NAME at /path", with "read-only" where it is."""
    texts = []
    for mount in mounts or ():
        name = mount.get("Name") if mount.get("Type") == "volume" else mount.get("Source")
        mode = "" if mount.get("RW", True) else ", read-only"
        texts.append(f"{mount.get('Type')} {name} at {mount.get('Destination')}{mode}")
    return tuple(sorted(texts))


def restart_text(policy: Mapping[str, Any] | None) -> str:
    """Turn RestartPolicy into its name, with the number of tries where it has one."""
    name = (policy or {}).get("Name") or "no"
    tries = (policy or {}).get("MaximumRetryCount") or 0
    return f"{name}:{tries}" if tries else name


def device_texts(requests: Iterable[Mapping[str, Any]] | None) -> tuple[str, ...]:
    """Turn DeviceRequests into "all gpus", "2 gpus", "cdi nvidia.com/gpu=all" or such."""
    texts = []
    for request in requests or ():
        count = request.get("Count", 0)
        ids = ",".join(request.get("DeviceIDs") or ())
        number = ids or ("all" if count == -1 else str(count))
        if request.get("Driver") == "cdi":
            texts.append(f"cdi {ids}")
            continue
        groups = request.get("Capabilities") or ()
        kinds = ",".join(sorted(kind for group in groups for kind in group))
        texts.append(f"{number} {kinds or request.get('Driver') or 'device'}s")
    return tuple(sorted(texts))


def health_texts(check: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Turn Healthcheck into its test and its times; times are nanoseconds in the API."""
    if not check or not check.get("Test"):
        return ()
    times = tuple(
        f"{key.lower()} {(check.get(key) or 0) / 1e9:g}s"
        for key in ("Interval", "Timeout", "StartPeriod")
    )
    return (" ".join(check["Test"]), *times, f"retries {check.get('Retries') or 0}")


def log_text(driver: str, options: Mapping[str, str] | None) -> str:
    """Turn LogConfig into "json-file max-file=3 max-size=10m"."""
    return " ".join([driver, *(f"{key}={value}" for key, value in sorted((options or {}).items()))])


@dataclass(frozen=True)
class ServedModel:
    """A model that a server holds. `digest` is the manifest's, "sha256:…"; size in bytes."""

    name: str
    digest: str
    size: int


@dataclass(frozen=True)
class LoadedModel:
    """A model in memory; sizes in bytes, `vram` is the part of `size` that is on the GPU."""

    name: str
    size: int
    vram: int
    context: int

    @property
    def gpu_share(self) -> float:
        """The share of the model on the GPU, 0 to 1."""
        return self.vram / self.size if self.size else 0.0


@dataclass(frozen=True)
class ObservedServer:
    """An Ollama server behind its published port. `version` is empty where it does not answer."""

    version: str = ""
    models: Mapping[str, ServedModel] = field(default_factory=dict)
    loaded: tuple[LoadedModel, ...] = ()

    @classmethod
    def from_answers(cls, version: Any, tags: Any, loaded: Any) -> ObservedServer:
        """Parse /api/version, /api/tags and /api/ps; None stands for no answer."""
        if not isinstance(version, dict) or "version" not in version:
            return cls()
        models = [
            ServedModel(m["name"], _digest(m["digest"]), m.get("size", 0))
            for m in (tags or {}).get("models") or ()
        ]
        in_memory = tuple(
            LoadedModel(
                m["name"], m.get("size", 0), m.get("size_vram", 0), m.get("context_length", 0)
            )
            for m in (loaded or {}).get("models") or ()
        )
        return cls(version["version"], {model.name: model for model in models}, in_memory)


def _digest(value: str) -> str:
    return value if value.startswith("sha256:") else f"sha256:{value}"


@dataclass(frozen=True)
class ForeignContainer:
    """A container that is not ours: its name, its image and the host ports that it publishes."""

    name: str
    ports: tuple[int, ...]
    is_running: bool
    image: str = ""
    image_id: str = ""


@dataclass(frozen=True)
class Snapshot:
    """The host as it was at one moment. `version` of the engine is empty where it is not there.

    `containers` are ours, and those that bear a name of ours; `images` are by reference and by id;
    `volumes` are labels by name; `servers` are by service. `stored` are the models on the volumes
    of services whose server does not answer; None where the volume could not be read. `kept` are
    the images that we tagged for ourselves; `architecture` is the engine's ("amd64").
    """

    version: str = ""
    architecture: str = ""
    containers: tuple[ObservedContainer, ...] = ()
    images: Mapping[str, ObservedImage] = field(default_factory=dict)
    volumes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    foreign: tuple[ForeignContainer, ...] = ()
    servers: Mapping[str, ObservedServer] = field(default_factory=dict)
    stored: Mapping[str, Mapping[str, ServedModel] | None] = field(default_factory=dict)
    kept: tuple[KeptImage, ...] = ()

    def named(self, name: str) -> ObservedContainer | None:
        """Return the inspected container of this name, ours or not."""
        return next((c for c in self.containers if c.name == name), None)

    def image_id(self, digest: str) -> str:
        """Return the id of an image that is here with this manifest digest, "" where none is."""
        return next((i.id for i in self.images.values() if digest in i.digests), "")

    def uses(self, image: str) -> bool:
        """Tell whether any container, ours or not, was made from an image of this reference."""
        containers: Iterable[ObservedContainer | ForeignContainer]
        containers = (*self.containers, *self.foreign)
        return any(c.image == image for c in containers)

    def is_shared(self, image_id: str, service: str) -> bool:
        """Tell whether a container of anybody else than a service was made from an image."""
        ours = any(c.image_id == image_id and c.service != service for c in self.containers)
        return ours or any(c.image_id == image_id for c in self.foreign)

    def server(self, service: str) -> ObservedServer:
        """Return the server of a service; an empty one where nobody answers."""
        return self.servers.get(service, ObservedServer())

    def models(self, service: str) -> Mapping[str, ServedModel] | None:
        """Return the models that a service holds, running or not; None where nobody can tell."""
        server = self.server(service)
        return server.models if server.version else self.stored.get(service, {})
