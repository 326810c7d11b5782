"""A fake Docker Engine: its state, and the endpoints of the Engine API that the product asks.

Source: docs.docker.com/reference/api/engine (1.41), and recorded answers of 20.10.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fake import views
from tests.fake.containers import Container, now
from tests.fake.http import Gate, Record, Request, Response, Server, line_of, of_json, on_port
from tests.fake.images import Images
from tests.fake.ollama import FakeOllama, Store
from tests.fake.registry import PullError
from tests.fake.volumes import Volumes

_ROUTES: list[tuple[str, re.Pattern[str], str]] = []


def _route(method: str, pattern: str) -> Callable[[Any], Any]:
    """Register a method of the engine for an endpoint."""

    def register(function: Any) -> Any:
        _ROUTES.append((method, re.compile(pattern), function.__name__))
        return function

    return register


class Refused(Exception):
    """An answer that is an error, in the engine's own words."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass
class Exec:
    """A command inside a container: what it printed, and its exit status."""

    id: str
    words: list[str]
    output: str = ""
    status: int = 0


@dataclass
class FakeEngine:
    """The engine. `outputs` are what commands inside containers print, by their words."""

    folder: Path
    gate: Gate
    record: Record
    version: str = "20.10.24+dfsg1"
    containers: dict[str, Container] = field(default_factory=dict)
    images: Images = field(default_factory=Images)
    execs: dict[str, Exec] = field(default_factory=dict)
    outputs: dict[tuple[str, ...], tuple[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.volumes = Volumes(self.folder / "volumes")
        self._lock = threading.RLock()
        self._servers: dict[str, list[Server]] = {}

    def handle(self, request: Request) -> Response:
        """Answer a request; one at a time but for pulls, which take long."""
        for method, pattern, name in _ROUTES:
            match = pattern.fullmatch(request.path)
            if match is None or request.method not in (method, *(["HEAD"] * (method == "GET"))):
                continue
            try:
                with self._lock:
                    answer: Response = getattr(self, name)(request, *match.groups())
                    return answer
            except Refused as refusal:
                return of_json({"message": str(refusal)}, refusal.status)
        return of_json({"message": "page not found"}, 404)

    def close(self) -> None:
        """End every server."""
        with self._lock:
            for id in list(self._servers):
                self._end_servers(id)

    # --- the engine itself ----------------------------------------------------------------------

    @_route("GET", "/_ping")
    def _ping(self, request: Request) -> Response:
        return Response(200, b"OK", {"Api-Version": "1.41", "Content-Type": "text/plain"})

    @_route("GET", "/version")
    def _version(self, request: Request) -> Response:
        return of_json(views.version(self.version))

    @_route("GET", "/info")
    def _info(self, request: Request) -> Response:
        return of_json(views.info(self.version, self.containers.values(), len(self.images.all)))

    @_route("GET", "/networks")
    def _networks(self, request: Request) -> Response:
        return of_json([views.BRIDGE])

    @_route("GET", "/networks/([^/]+)")
    def _network(self, request: Request, name: str) -> Response:
        if name not in (views.BRIDGE["Name"], views.BRIDGE["Id"]):
            raise Refused(404, f"network {name} not found")
        return of_json(views.BRIDGE)

    # --- containers -----------------------------------------------------------------------------

    def container(self, reference: str) -> Container:
        """Return a container by name, id, or the beginning of its id. Raises Refused."""
        for container in self.containers.values():
            if reference in (container.name, container.id):
                return container
        if re.fullmatch(r"[0-9a-f]{4,64}", reference):
            for container in self.containers.values():
                if container.id.startswith(reference):
                    return container
        raise Refused(404, f"No such container: {reference}")

    @_route("GET", "/containers/json")
    def _list(self, request: Request) -> Response:
        filters = json.loads(request.query.get("filters") or "{}")
        wants_all = _is_set(request, "all")
        shown = [
            container.listed(self._mountpoint(container))
            for container in reversed(self.containers.values())
            if (wants_all or container.is_up) and _is_meant(container, filters)
        ]
        return of_json(shown)

    @_route("GET", "/containers/([^/]+)/json")
    def _inspect(self, request: Request, reference: str) -> Response:
        container = self.container(reference)
        return of_json(container.inspect(self._mountpoint(container)))

    def _mountpoint(self, container: Container) -> str:
        volume = self.volumes.all.get(container.volume)
        return str(volume.folder) if volume is not None else ""

    @_route("POST", "/containers/create")
    def _create(self, request: Request) -> Response:
        body = request.json
        image = self.images.find(str(body.get("Image")))
        if image is None:
            raise Refused(404, f"No such image: {body.get('Image')}")
        name = request.query.get("name") or secrets.token_hex(4)
        self._must_be_free(name)
        container = Container(secrets.token_hex(32), name, image, body)
        self.containers[container.id] = container
        if container.volume:
            self.volumes.create(container.volume)
        return of_json({"Id": container.id, "Warnings": []}, 201)

    def _must_be_free(self, name: str) -> None:
        for other in self.containers.values():
            if other.name == name:
                raise Refused(
                    409,
                    f'Conflict. The container name "/{name}" is already in use by container'
                    f' "{other.id}". You have to remove (or rename) that container to be able to'
                    " reuse that name.",
                )

    @_route("POST", "/containers/([^/]+)/rename")
    def _rename(self, request: Request, reference: str) -> Response:
        container, name = self.container(reference), request.query["name"]
        self._must_be_free(name)
        container.name = name
        return Response(204)

    @_route("POST", "/containers/([^/]+)/start")
    def _start(self, request: Request, reference: str) -> Response:
        container = self.container(reference)
        if container.is_up:
            return Response(304)
        self.start(container)
        return Response(204)

    def start(self, container: Container) -> None:
        """Start a container; its server answers on its published ports. Raises Refused."""
        if container.image.behaviour == "exits":
            container.log.append("Error: this image does not serve")
            container.started_at = container.finished_at = now()
            container.status, container.exit_code = "exited", 1
            return
        folder = self._mountpoint(container)
        container.server = FakeOllama(
            Store(Path(folder) if folder else self.folder / container.id),
            container.image.version,
            generates=container.image.behaviour == "serves",
            log=container.log.append,
        )
        self._begin_servers(container, container.server)
        container.log.append(f"Listening on [::]:11434 (version {container.image.version})")
        container.status, container.started_at = "running", now()
        container.exit_code, container.error = 0, ""

    def _begin_servers(self, container: Container, server: FakeOllama) -> None:
        self._servers[container.id] = []
        for address, port, _ in container.published:
            try:
                listener = on_port(address, port)
            except OSError:
                self._end_servers(container.id)
                raise Refused(
                    500,
                    "driver failed programming external connectivity on endpoint"
                    f" {container.name} ({secrets.token_hex(32)}): Bind for {address}:{port}"
                    " failed: port is already allocated",
                ) from None
            # Servers are named after the volume: the container may get another name.
            name = container.volume or container.name
            begun = Server(name, listener, server.handle, self.gate, self.record)
            self._servers[container.id].append(begun)

    def _end_servers(self, id: str) -> None:
        for server in self._servers.pop(id, []):
            server.close()

    @_route("POST", "/containers/([^/]+)/stop")
    def _stop(self, request: Request, reference: str) -> Response:
        container = self.container(reference)
        if not container.is_up:
            return Response(304)
        self.stop(container)
        return Response(204)

    def stop(self, container: Container, exit_code: int = 0) -> None:
        """End the process of a container."""
        self._end_servers(container.id)
        container.server = None
        container.status, container.exit_code = "exited", exit_code
        container.finished_at = now()

    @_route("POST", "/containers/([^/]+)/(pause|unpause)")
    def _pause(self, request: Request, reference: str, doing: str) -> Response:
        container = self.container(reference)
        before, after = ("running", "paused")[:: 1 if doing == "pause" else -1]
        if container.status != before or container.server is None:
            raise Refused(409, f"Container {container.id} is not {before}")
        container.status, container.server.is_frozen = after, doing == "pause"
        return Response(204)

    @_route("DELETE", "/containers/([^/]+)")
    def _remove(self, request: Request, reference: str) -> Response:
        container = self.container(reference)
        if container.is_up and not _is_set(request, "force"):
            raise Refused(
                409,
                f"You cannot remove a running container {container.id}. Stop the container before"
                " attempting removal or force remove",
            )
        if container.is_up:
            self.stop(container, 137)
        del self.containers[container.id]
        return Response(204)

    @_route("GET", "/containers/([^/]+)/logs")
    def _logs(self, request: Request, reference: str) -> Response:
        tail = request.query.get("tail", "all")
        lines = self.container(reference).log
        lines = lines[-int(tail) :] if tail.isdigit() else lines
        stream = b"".join(_frame(line + "\n") for line in lines)
        return Response(200, stream, {"Content-Type": "application/octet-stream"})

    # --- commands inside containers -------------------------------------------------------------

    @_route("POST", "/containers/([^/]+)/exec")
    def _exec(self, request: Request, reference: str) -> Response:
        container = self.container(reference)
        if container.status != "running":
            raise Refused(409, f"Container {container.id} is not running")
        words = [str(word) for word in request.json.get("Cmd") or ()]
        output, status = self.outputs.get(tuple(words), ("", 0))
        made = Exec(secrets.token_hex(32), words, output, status)
        self.execs[made.id] = made
        return of_json({"Id": made.id}, 201)

    @_route("POST", "/exec/([^/]+)/start")
    def _exec_start(self, request: Request, id: str) -> Response:
        output = self._find_exec(id).output
        headers = {"Content-Type": "application/vnd.docker.raw-stream"}
        # Whoever asked reads until the end of the connection.
        return Response(200, _frame(output) if output else b"", headers, ending="close")

    @_route("GET", "/exec/([^/]+)/json")
    def _exec_inspect(self, request: Request, id: str) -> Response:
        found = self._find_exec(id)
        return of_json({"ID": found.id, "Running": False, "ExitCode": found.status})

    def _find_exec(self, id: str) -> Exec:
        if id not in self.execs:
            raise Refused(404, f"No such exec instance: {id}")
        return self.execs[id]

    # --- images ---------------------------------------------------------------------------------

    @_route("GET", "/images/json")
    def _list_images(self, request: Request) -> Response:
        filters = json.loads(request.query.get("filters") or "{}")
        return of_json(self.images.list(filters.get("reference") or []))

    @_route("GET", "/images/(.+)/json")
    def _inspect_image(self, request: Request, reference: str) -> Response:
        image = self.images.find(reference)
        if image is None:
            raise Refused(404, f"No such image: {reference}")
        return of_json(image.inspect())

    @_route("POST", "/images/create")
    def _pull(self, request: Request) -> Response:
        name, tag = request.query.get("fromImage", ""), request.query.get("tag") or "latest"
        told = self.images.pull(name, tag)
        try:
            first = next(told)
        except PullError as error:
            text = (
                f"manifest for {name}:{tag} not found: {error}" if error.is_unknown else str(error)
            )
            raise Refused(404 if error.is_unknown else 500, text) from None
        return Response(
            200, headers={"Content-Type": "application/json"}, chunks=self._pulled(first, told)
        )

    def _pulled(self, first: dict[str, Any], told: Iterator[dict[str, Any]]) -> Iterator[bytes]:
        yield line_of(first)
        try:
            for line in told:
                yield line_of(line)
        except PullError as error:
            yield line_of({"errorDetail": {"message": str(error)}, "error": str(error)})

    @_route("POST", "/images/(.+)/tag")
    def _tag(self, request: Request, reference: str) -> Response:
        image = self.images.find(reference)
        if image is None:
            raise Refused(404, f"No such image: {reference}")
        self.images.tag(image, f"{request.query['repo']}:{request.query.get('tag') or 'latest'}")
        return Response(201)

    @_route("DELETE", "/images/(.+)")
    def _remove_image(self, request: Request, reference: str) -> Response:
        image = self.images.find(reference)
        if image is None:
            raise Refused(404, f"No such image: {reference}")
        users = [c for c in self.containers.values() if c.image is image]
        is_last = {reference} >= image.tags
        if users and is_last:
            raise Refused(
                409,
                f'conflict: unable to remove repository reference "{reference}" (must force) -'
                f" container {users[0].id[:12]} is using its referenced image {image.id[7:19]}",
            )
        return of_json(self.images.untag(image, reference))

    # --- volumes --------------------------------------------------------------------------------

    @_route("GET", "/volumes")
    def _list_volumes(self, request: Request) -> Response:
        shown = [volume.inspect() for volume in self.volumes.all.values()]
        return of_json({"Volumes": shown, "Warnings": None})

    @_route("GET", "/volumes/([^/]+)")
    def _inspect_volume(self, request: Request, name: str) -> Response:
        if name not in self.volumes.all:
            raise Refused(404, f"get {name}: no such volume")
        return of_json(self.volumes.all[name].inspect())

    @_route("POST", "/volumes/create")
    def _create_volume(self, request: Request) -> Response:
        asked = request.json
        name = asked.get("Name") or secrets.token_hex(32)
        return of_json(self.volumes.create(name, asked.get("Labels")).inspect(), 201)

    @_route("DELETE", "/volumes/([^/]+)")
    def _remove_volume(self, request: Request, name: str) -> Response:
        if name not in self.volumes.all:
            raise Refused(404, f"get {name}: no such volume")
        users = [c.id for c in self.containers.values() if c.volume == name]
        if users:
            raise Refused(409, f"remove {name}: volume is in use - [{', '.join(users)}]")
        self.volumes.remove(name)
        return Response(204)


def _is_set(request: Request, name: str) -> bool:
    """Tell whether a switch of the query is on, as the engine reads it."""
    return request.query.get(name, "").lower() not in ("", "0", "no", "false", "none")


def _is_meant(container: Container, filters: dict[str, Any]) -> bool:
    """Tell whether filters leave a container in; a filter is a list, or a table of Go's clients."""
    for wanted in list(filters.get("label") or ()):
        name, equals, value = wanted.partition("=")
        if name not in container.labels or (equals and container.labels[name] != value):
            return False
    names = list(filters.get("name") or ())
    return not names or any(
        re.search(pattern, f"/{container.name}") or re.search(pattern, container.name)
        for pattern in names
    )


def _frame(text: str) -> bytes:
    """Wrap text as the engine does where there is no terminal: kind, size, text."""
    data = text.encode()
    return b"\1\0\0\0" + len(data).to_bytes(4, "big") + data
