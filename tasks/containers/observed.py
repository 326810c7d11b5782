"""What is really there: parsers of the Engine API's and Ollama's own objects.

The same functions serve both transports: curl over the connector, and the console's clients. All of
them raise BadAnswer where an object is not as its API says: what it stands for is not known then.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tasks.declared.stack import service_url
from tasks.words.foreign import BadAnswer, Fields

# Labels that make a container or a volume ours.
STACK_LABEL = "ollama-stack.stack"
SERVICE_LABEL = "ollama-stack.service"
SPEC_LABEL = "ollama-stack.spec"
IMAGE_LABEL = "ollama-stack.image"
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_ADDRESS = re.compile(r"[0-9A-Za-z:.%-]+")
_DIGEST = re.compile(r"sha256:[0-9a-f]{1,64}")
# How a container is given the GPU: as `--gpus all` does, or as a CDI device; "" for not at all.
Attachment = Literal["", "gpus", "cdi"]
CDI_DEVICE = "nvidia.com/gpu=all"
MOST_PORTS = 65535


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
        """Parse GET /images/{name}/json. Raises BadAnswer."""
        image = Fields(attrs, "the image")
        digests = {d.partition("@")[2] for d in image.texts("RepoDigests") if "@" in d}
        return cls(
            id=image.needed("Id"),
            tags=tuple(image.texts("RepoTags")),
            digests=tuple(sorted(digests)),
            environment=environment(image.object("Config").texts("Env")),
            size=image.size("Size"),
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
        """Parse GET /containers/{id}/json. Raises BadAnswer."""
        found = Fields(attrs, "the container")
        state, config, host = (found.object(name) for name in ("State", "Config", "HostConfig"))
        log = host.object("LogConfig")
        return cls(
            id=found.needed("Id"),
            name=found.needed("Name").lstrip("/"),
            status=state.needed("Status"),
            started_at=state.text("StartedAt"),
            exit_code=state.number("ExitCode"),
            error=state.text("Error"),
            health=state.object("Health").text("Status"),
            image=config.text("Image"),
            image_id=found.needed("Image"),
            labels=config.labels("Labels"),
            environment=environment(config.texts("Env")),
            ports=port_texts(host.object("PortBindings")),
            mounts=mount_texts(found.objects("Mounts")),
            networks=tuple(sorted(found.object("NetworkSettings").object("Networks").value)),
            network_mode=host.text("NetworkMode"),
            restart=restart_text(host.object("RestartPolicy")),
            memory=host.number("Memory"),
            nano_cpus=host.number("NanoCpus"),
            devices=device_texts(host.objects("DeviceRequests")),
            health_check=health_texts(config.object("Healthcheck")),
            log=log_text(log.text("Type"), log.labels("Config")),
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
        ports = (text.partition("->")[0].rpartition(":")[2] for text in self.ports)
        return {port for text in ports for port in ports_in(text)}

    @property
    def url(self) -> str:
        """Where the container itself is reached from the host; "" where it publishes nothing."""
        if not self.ports:
            return ""
        address, _, text = self.ports[0].partition("->")[0].rpartition(":")
        ports = ports_in(text)
        return service_url(address, ports[0]) if len(ports) == 1 else ""

    @property
    def holds_ports(self) -> bool:
        """Tell whether the published ports are taken by the container now."""
        return self.status in ("running", "paused", "restarting")

    @property
    def held_ports(self) -> set[int]:
        """The host ports that the container holds now."""
        return self.published if self.holds_ports else set()

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


def seeing(container: str) -> str:
    """Say what a person can do where nobody could see how it stands with a container."""
    return (
        f"run again; if it stays so: docker inspect {container}, and docker logs {container}, tell"
        f" more (docker restart {container} mends a server that answers oddly)"
    )


def environment(pairs: Iterable[str]) -> dict[str, str]:
    """Turn ["NAME=value"] into a mapping."""
    return {name: value for name, _, value in (pair.partition("=") for pair in pairs)}


def ports_in(text: str) -> range:
    """Return the ports that a HostPort names: "11434", "8000-8010", or none where it names none."""
    match = _PORTS.fullmatch(text)
    if match is None:
        return range(0)
    return range(int(match[1]), min(int(match[2] or match[1]), MOST_PORTS) + 1)


def port_texts(bindings: Fields) -> tuple[str, ...]:
    """Turn PortBindings into "127.0.0.1:11434->11434/tcp"; an empty address is 0.0.0.0.

    Raises BadAnswer, so that nothing that reads these texts later has to.
    """
    texts = []
    for inner in bindings.value:
        for binding in bindings.objects(inner):
            port = binding.text("HostPort")
            if port and not ports_in(port):
                raise BadAnswer(f"the container has a port that is none, for {inner}")
            address = binding.text("HostIp") or "0.0.0.0"
            if not _ADDRESS.fullmatch(address):
                raise BadAnswer("the container has an address that is none")
            texts.append(f"{address}:{port}->{inner}")
    return tuple(sorted(texts))


def mount_texts(mounts: Iterable[Fields]) -> tuple[str, ...]:
    """Turn Mounts into "volume NAME at /path", with "read-only" where it is."""
    texts = []
    for mount in mounts:
        kind = mount.text("Type")
        name = mount.text("Name" if kind == "volume" else "Source")
        mode = "" if mount.value.get("RW", True) else ", read-only"
        texts.append(f"{kind} {name} at {mount.text('Destination')}{mode}")
    return tuple(sorted(texts))


def restart_text(policy: Fields) -> str:
    """Turn RestartPolicy into its name, with the number of tries where it has one."""
    name = policy.text("Name") or "no"
    tries = policy.number("MaximumRetryCount")
    return f"{name}:{tries}" if tries else name


def device_texts(requests: Iterable[Fields]) -> tuple[str, ...]:
    """Turn DeviceRequests into "all gpus", "2 gpus", "cdi nvidia.com/gpu=all" or such."""
    texts = []
    for request in requests:
        count, driver = request.number("Count"), request.text("Driver")
        ids = ",".join(request.texts("DeviceIDs"))
        number = ids or ("all" if count == -1 else str(count))
        if driver == "cdi":
            texts.append(f"cdi {ids}")
            continue
        groups = request.items("Capabilities")
        kinds = ",".join(sorted(k for group in groups for k in Fields({"": group}).texts("")))
        texts.append(f"{number} {kinds or driver or 'device'}s")
    return tuple(sorted(texts))


def health_texts(check: Fields) -> tuple[str, ...]:
    """Turn Healthcheck into its test and its times; times are nanoseconds in the API."""
    test = check.texts("Test")
    if not test:
        return ()
    times = tuple(
        f"{key.lower()} {check.number(key) / 1e9:g}s"
        for key in ("Interval", "Timeout", "StartPeriod")
    )
    return (" ".join(test), *times, f"retries {check.number('Retries')}")


def log_text(driver: str, options: Mapping[str, str]) -> str:
    """Turn LogConfig into "json-file max-file=3 max-size=10m"."""
    return " ".join([driver, *(f"{key}={value}" for key, value in sorted(options.items()))])


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
        """Parse /api/version, /api/tags and /api/ps. Raises BadAnswer."""
        models = held_models(tags)
        return cls(Fields(version, "the version").needed("version"), models, loaded_models(loaded))


def held_models(tags: Any) -> dict[str, ServedModel]:
    """Parse /api/tags: the models that a server holds, by name. Raises BadAnswer."""
    listed = Fields(tags, "the list of models").objects("models")
    models = (ServedModel(m.needed("name"), _digest(m), m.size("size")) for m in listed)
    return {model.name: model for model in models}


def loaded_models(loaded: Any) -> tuple[LoadedModel, ...]:
    """Parse /api/ps: the models in memory. Raises BadAnswer."""
    return tuple(
        LoadedModel(m.needed("name"), m.size("size"), m.size("size_vram"), m.size("context_length"))
        for m in Fields(loaded, "the list of models in memory").objects("models")
    )


def _digest(model: Fields) -> str:
    value = model.needed("digest")
    digest = value if value.startswith("sha256:") else f"sha256:{value}"
    if not _DIGEST.fullmatch(digest):
        raise BadAnswer("a model has a digest that is none")
    return digest


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

    `unknown` says of what nobody knows how it stands, and why: by service, "" for the engine. It is
    neither there nor absent: nothing is planned, removed, recorded or undone from it.
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
    unknown: Mapping[str, str] = field(default_factory=dict)

    def unknown_of(self, service: str) -> str:
        """Say why nobody knows how it stands with a service; "" where it is known."""
        return self.unknown.get("") or self.unknown.get(service, "")

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

    def ports_of(self, stack: str) -> set[int]:
        """Return the host ports that the containers of the stack with this prefix hold now."""
        return {port for c in self.containers if c.is_of(stack) for port in c.held_ports}

    def published_by_others(self) -> dict[int, str]:
        """Return the names of running containers that are not ours, by the port they publish."""
        return {port: c.name for c in self.foreign if c.is_running for port in c.ports}

    def server(self, service: str) -> ObservedServer:
        """Return the server of a service; an empty one where nobody answers."""
        return self.servers.get(service, ObservedServer())

    def models(self, service: str) -> Mapping[str, ServedModel] | None:
        """Return the models that a service holds, running or not; None where nobody can tell."""
        server = self.server(service)
        return server.models if server.version else self.stored.get(service, {})
