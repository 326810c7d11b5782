"""What the one look said, as a Snapshot: each part of it known, absent or unknown with its cause.

404 is the engine's word for "there is none". Every other answer than the thing itself (none, an
error, half of it, another thing) leaves it unknown: nothing may be planned, removed or recorded
from that. One service's odd answers leave the others known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tasks.containers.observed import (
    SERVICE_LABEL,
    STACK_LABEL,
    ForeignContainer,
    KeptImage,
    ObservedContainer,
    ObservedImage,
    ObservedServer,
    ServedModel,
    Snapshot,
)
from tasks.containers.spec import PREVIOUS
from tasks.declared.references import OLLAMA_REGISTRY, ModelReference
from tasks.declared.stack import Service, Stack
from tasks.shell.answers import Answer, answers, answers_in
from tasks.shell.curl import opened
from tasks.shell.engine_api import engine, with_label
from tasks.words.digests import short
from tasks.words.foreign import BadAnswer, Fields, read_json

# The names of the envelopes.
ENGINE = "engine"
SERVER = "server."
FILES = "files."
SERVER_PATHS = ("/api/version", "/api/tags", "/api/ps")
# The last line of a list of manifests that is whole.
END = "end"
SHOW = "/json"
_SUM = re.compile(r"([0-9a-f]{64})  \./(.+)")
Answers = Mapping[str, Answer]


def all_containers() -> str:
    """Return the URL that lists every container, whoever made it."""
    return engine("/containers/json", {"all": 1})


def our_containers(stack: Stack) -> str:
    """Return the URL that lists the containers with our label, whatever their names."""
    ours = with_label(STACK_LABEL, stack.container_prefix)
    return engine("/containers/json", {"all": 1, "filters": ours})


def all_volumes() -> str:
    """Return the URL that lists every volume."""
    return engine("/volumes")


def kept_images(stack: Stack) -> str:
    """Return the URL that lists the images under our own tags, in any repository.

    Of the list itself only ids and tags are read: with a filter it leaves the digests out.
    """
    depths = ("", "*/", "*/*/", "*/*/*/")
    return engine(
        "/images/json",
        {"filters": {"reference": [f"{d}*:{stack.container_prefix}*" for d in depths]}},
    )


def parse(stack: Stack, output: str) -> Snapshot:
    """Parse what the script of the look printed. It never raises: what is odd is unknown."""
    try:
        return _Parser(stack, output).snapshot()
    except BadAnswer as error:
        return Snapshot(unknown={"": f"Docker was looked at, and {error}"})
    except Exception as error:
        # One host's odd answer must not end the run of the others.
        kind = type(error).__name__
        return Snapshot(unknown={"": f"Docker was looked at, and its answers are odd ({kind})"})


class _Parser:
    """Collects the parts; only a namespace for what they share."""

    def __init__(self, stack: Stack, output: str) -> None:
        self.stack = stack
        self.found: Answers = answers(output, ENGINE)
        self.parts = {name: data for name, data in opened(output) if name != ENGINE}
        self.unknown: dict[str, str] = {}

    def snapshot(self) -> Snapshot:
        """Return everything. Raises BadAnswer where nothing is known of the engine."""
        version = Fields(_told(self.found, engine("/version"), "its version"), "its version")
        listed = list(self._list(all_containers(), "its list of containers"))
        volumes = Fields(_told(self.found, all_volumes(), "its list of volumes"), "it")
        images = self._images()
        containers = self._containers({n for c in listed for n in c.texts("Names")})
        seen = Snapshot(
            version=version.needed("Version"),
            architecture=version.text("Arch"),
            containers=tuple(sorted(containers.values(), key=lambda c: c.name)),
            images=images,
            volumes={v.needed("Name"): v.labels("Labels") for v in volumes.objects("Volumes")},
            foreign=tuple(_foreign(c) for c in listed if c.needed("Id") not in containers),
            kept=tuple(KeptImage.among(images.values(), self.stack.container_prefix)),
        )
        self._check_images(seen)
        seen = replace(seen, servers=self._servers(seen))
        return replace(seen, stored=self._stored(seen), unknown=self.unknown)

    def _containers(self, names: set[str]) -> dict[str, ObservedContainer]:
        """Return our containers, and those that bear a name of ours, by id."""
        containers: dict[str, ObservedContainer] = {}
        for service in self.stack.services:
            name = self.stack.container_name(service)
            for asked in (name, name + PREVIOUS):
                with self._about(service.name, f"container {asked}"):
                    is_listed = f"/{asked}" in names
                    container = self._container(asked, may_be_absent=not is_listed)
                    if container is not None and container.name != asked:
                        raise BadAnswer(f"Docker shows container {container.name} for {asked}")
                    if container is not None:
                        containers[container.id] = container
        for one in self._list(our_containers(self.stack), "its list of our containers"):
            asked, service_name = one.needed("Id"), one.labels("Labels").get(SERVICE_LABEL, "")
            with self._about(service_name, f"container {short(asked)}"):
                # One that was removed meanwhile is no more.
                container = None
                if asked not in containers:
                    container = self._container(asked, may_be_absent=True)
                if container is not None:
                    containers[container.id] = container
        return containers

    def _list(self, url: str, what: str) -> Iterator[Fields]:
        return _objects(_told(self.found, url, what), what)

    def _container(self, asked: str, *, may_be_absent: bool) -> ObservedContainer | None:
        url, what = engine(f"/containers/{asked}{SHOW}"), f"what Docker says of container {asked}"
        told = _told(self.found, url, what, may_be_absent=may_be_absent)
        return None if told is None else ObservedContainer.from_inspect(Fields(told, what).value)

    def _images(self) -> dict[str, ObservedImage]:
        """Return every image that was shown, by what it was asked for and by its id."""
        images: dict[str, ObservedImage] = {}
        start = engine("/images/")
        for answer in self.found.values():
            if not (answer.ok and answer.url.startswith(start) and answer.url.endswith(SHOW)):
                continue
            asked = answer.url.removeprefix(start).removesuffix(SHOW)
            try:
                image = ObservedImage.from_inspect(answer.fields.value)
            except BadAnswer:
                # It is neither there nor absent: whoever needs it is unknown.
                continue
            if not asked.startswith("sha256:") or image.id == asked:
                images[asked] = images[image.id] = image
        return images

    def _check_images(self, seen: Snapshot) -> None:
        """See that each image which a service declares, runs or keeps is known or absent."""
        for service in self.stack.services:
            needed = {str(self.stack.image_reference(service))}
            needed |= {c.image_id for c in seen.containers if c.service == service.name}
            with self._about(service.name, "its image"):
                for image in sorted(needed - seen.images.keys()):
                    self._see_absent(image)
        for one in self._list(kept_images(self.stack), "its list of kept images"):
            tags = {tag.rpartition(":")[2] for tag in one.texts("RepoTags")}
            for service in self.stack.services:
                name = self.stack.container_name(service)
                if any(tag.startswith(name) for tag in tags) and one.text("Id") not in seen.images:
                    with self._about(service.name, "an image that is kept for it"):
                        self._see_absent(one.text("Id"))

    def _see_absent(self, image: str) -> None:
        answer = self.found.get(engine(f"/images/{image}{SHOW}"))
        if answer is None or answer.status != 404:
            raise BadAnswer(f"Docker does not tell of image {image}{_reason(answer)}")

    def _servers(self, seen: Snapshot) -> dict[str, ObservedServer]:
        servers = {}
        for service in self.stack.services:
            if is_serving(self.stack, service, seen):
                found = answers_in(self.parts.get(SERVER + service.name, b""))
                with self._about(service.name, "its server"):
                    servers[service.name] = server_of(found, service)
        return servers

    def _stored(self, seen: Snapshot) -> dict[str, Mapping[str, ServedModel] | None]:
        """Return the models on the volumes that were read; None for one that could not be."""
        stored: dict[str, Mapping[str, ServedModel] | None] = {}
        for service in self.stack.services:
            has_volume = self.stack.container_name(service) in seen.volumes
            if has_volume and not seen.server(service.name).version:
                data = self.parts.get(FILES + service.name, b"")
                stored[service.name] = models_on_volume(data.decode(errors="replace"))
        return stored

    @contextmanager
    def _about(self, service: str, what: str) -> Iterator[None]:
        """Let what is odd about one service be unknown, and the rest be known."""
        try:
            yield
        except BadAnswer as error:
            self.unknown.setdefault(service, str(error))
        except Exception as error:
            self.unknown.setdefault(service, f"{what} answers oddly ({type(error).__name__})")


def _told(found: Answers, url: str, what: str, *, may_be_absent: bool = False) -> Any:
    """Return an answer as JSON, None where the engine says that there is no such thing.

    Raises BadAnswer for everything else.
    """
    answer = found.get(url)
    if answer is not None and answer.status == 404 and may_be_absent:
        return None
    if answer is None or not answer.ok:
        raise BadAnswer(f"{what} did not come{_reason(answer)}")
    try:
        value = read_json(answer.body)
    except BadAnswer as error:
        raise BadAnswer(f"{what} cannot be used: {error}") from None
    if value is None:
        # Not the same as absent.
        raise BadAnswer(f"{what} is empty")
    return value


def _reason(answer: Answer | None) -> str:
    if answer is None or not answer.status:
        return " (no answer, or not all of it)"
    return f" (HTTP {answer.status}: {answer.message[:200]})"


def _objects(value: Any, what: str) -> Iterator[Fields]:
    """Yield the objects of a list that is the whole answer. Raises BadAnswer."""
    if not isinstance(value, list):
        raise BadAnswer(f"{what} is no list")
    return (Fields(item, f"an item of {what}") for item in value)


def is_serving(stack: Stack, service: Service, seen: Snapshot) -> bool:
    """Tell whether what answers on the port can be our container, and nobody else's server."""
    container = seen.named(stack.container_name(service))
    if container is None or not container.is_running:
        return False
    return any(p.startswith(f"{service.bind}:{service.port}->") for p in container.ports)


def server_of(found: Answers, service: Service) -> ObservedServer:
    """Return the server of a service from its answers; an empty one where it does not answer.

    Raises BadAnswer where it answers, and does not tell what it has.
    """
    version, tags, loaded = (found.get(service.url + path) for path in SERVER_PATHS)
    if version is None or not version.ok:
        return ObservedServer()
    try:
        return ObservedServer.from_answers(*(_whole(answer) for answer in (version, tags, loaded)))
    except BadAnswer as error:
        raise BadAnswer(f"its server answers, and does not tell what it has: {error}") from None


def _whole(answer: Answer | None) -> Any:
    if answer is None or not answer.ok:
        raise BadAnswer(f"an answer did not come{_reason(answer)}")
    return read_json(answer.body)


def _foreign(container: Fields) -> ForeignContainer:
    ports = {port.number("PublicPort") for port in container.objects("Ports")}
    return ForeignContainer(
        name=next(iter(container.texts("Names")), "?").lstrip("/"),
        ports=tuple(sorted(ports - {0})),
        is_running=container.text("State") in ("running", "paused", "restarting"),
        image=container.text("Image"),
        image_id=container.text("ImageID"),
    )


def models_on_volume(text: str) -> dict[str, ServedModel] | None:
    """Parse the manifests on a volume: lines of sha256sum, whose path names a model.

    None where the list is not whole, or nobody could read it.
    """
    lines = text.rstrip("\n").split("\n")
    if lines[-1] != END:
        return None
    models = {}
    for match in filter(None, map(_SUM.fullmatch, lines)):
        name = model_name(match[2])
        if name:
            models[name] = ServedModel(name, f"sha256:{match[1]}", 0)
    return models


def model_name(path: str) -> str:
    """Turn "registry.ollama.ai/library/qwen2.5-coder/7b" into the name that Ollama shows."""
    parts = path.split("/")
    if len(parts) != 4:
        return ""
    registry, namespace, name, tag = parts
    reference = ModelReference(namespace, name, tag)
    return str(reference) if registry == OLLAMA_REGISTRY else reference.at(registry)
