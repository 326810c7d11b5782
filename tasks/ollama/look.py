"""The one look at a host: its engine, our containers, images and volumes, and the three servers.

One script and not a FactBase a piece: a run that changes nothing is as quick as its process spawns
are few, and a fact's arguments (the declaration, with its proxies) would be printed with -v.
"""

from __future__ import annotations

import shlex
from typing import Any

from tasks.engine_api import Answer, answers, curl_words, engine, with_label
from tasks.ollama.observed import (
    STACK_LABEL,
    ForeignContainer,
    KeptImage,
    ObservedContainer,
    ObservedImage,
    ObservedServer,
    ServedModel,
    Snapshot,
)
from tasks.ollama.spec import PREVIOUS
from tasks.references import OLLAMA_REGISTRY, ModelReference
from tasks.shell import Shell
from tasks.stack import Service, Stack

MANIFESTS_MARK = "#manifests"
SERVER_PATHS = ("/api/version", "/api/tags", "/api/ps")
SERVER_TIMEOUT = 5
# What the first answers name and do not show is asked for: containers of ours under other names,
# and images that containers run or that are kept.
SCRIPT = r"""
exec 2>/dev/null
seen=$(@FIRST@)
printf '%s\n' "$seen"
urls=
for id in $(printf '%s\n' "$seen" | \
  awk '/^#.*containers.*filters=/ { print last } NF { last = $0 }' | \
  grep -oE '"Id":"[0-9a-f]+"' | cut -d'"' -f4); do
  case "$seen" in *"{\"Id\":\"$id\",\"Created\""*) ;; *)
    urls="$urls http://docker/containers/$id/json";; esac
done
if [ -n "$urls" ]; then
  more=$(@MORE@ $urls)
  printf '%s\n' "$more"
  seen="$seen$more"
fi
urls=
for id in $(printf '%s\n' "$seen" | grep -oE '"(Image|Id)":"sha256:[0-9a-f]+"' | cut -d'"' -f4 \
  | sort -u); do
  case "$seen" in *"{\"Id\":\"$id\""*) ;; *) urls="$urls http://docker/images/$id/json";; esac
done
[ -n "$urls" ] && @MORE@ $urls
"""
# A server is asked only while its container runs and publishes the declared port: a paused one
# would keep everybody waiting, and on another port somebody else would answer.
SERVER = r"""
if printf '%s\n' "$seen" | grep -qE '@UP@'; then
  server=$(@SERVER@)
  printf '%s\n' "$server"
  seen="$seen$server"
fi
"""
# A server that does not answer is known by the manifests on its volume: the SHA-256 of a manifest
# is the digest of its model.
VOLUME = r"""
case "$seen" in *'#200 @VERSION@'*) ;; *)
  at=$(@VOLUME@ | grep -oE '"Mountpoint":"[^"]+"' | cut -d'"' -f4)
  if [ -n "$at" ]; then
    echo "#manifests @NAME@"
    if [ -r "$at" ] && [ -x "$at" ]; then
      cd "$at/models/manifests" && find . -type f -exec sha256sum {} +
      cd /
    else
      echo unreadable
    fi
  fi;;
esac
"""


def look(shell: Shell, stack: Stack) -> Snapshot:
    """Look at a host."""
    return parse(stack, shell.sh(script(stack), timeout=120).stdout)


def script(stack: Stack) -> str:
    """Build the observing script. Starting curl is what costs: few of them ask everything."""
    socket = stack.docker_socket
    names = [stack.container_name(service) for service in stack.services]
    first = curl_words(_engine_urls(stack, names), socket=socket)
    lines = SCRIPT.replace("@FIRST@", shlex.join(["curl", *first])).replace(
        "@MORE@", shlex.join(["curl", *curl_words([], socket=socket)])
    )
    volumes = ""
    for service, name in zip(stack.services, names, strict=True):
        urls = [service.url + path for path in SERVER_PATHS]
        server = ["curl", "--fail-early", *curl_words(urls, timeout=SERVER_TIMEOUT)]
        if service.active:
            lines += SERVER.replace("@SERVER@", shlex.join(server)).replace(
                "@UP@", _up_pattern(name, service)
            )
        volume = shlex.join(["curl", *curl_words([engine(f"/volumes/{name}")], socket=socket)])
        volumes += (
            VOLUME.replace("@VERSION@", urls[0]).replace("@NAME@", name).replace("@VOLUME@", volume)
        )
    # The volumes come last: from the first mark on, the output is no answers of curl.
    lines += volumes
    return f"sh -c {shlex.quote(lines + 'true')}"


def _up_pattern(name: str, service: Service) -> str:
    """Return what the inspect line of a container holds that runs on the declared port."""
    return f'"Running":true,"Paused":false.*"Name":"/{name}".*"HostPort":"{service.port}"'


def _engine_urls(stack: Stack, names: list[str]) -> list[str]:
    """Return what the engine is asked in any case; the filtered list finds what was renamed."""
    ours = {"all": 1, "filters": with_label(STACK_LABEL, stack.container_prefix)}
    images = {str(stack.image_reference(service)) for service in stack.services}
    return [
        engine("/version"),
        engine("/containers/json", {"all": 1}),
        engine("/volumes"),
        engine("/containers/json", ours),
        kept_images(stack),
        *(engine(f"/containers/{n}/json") for name in names for n in (name, name + PREVIOUS)),
        *(engine(f"/images/{image}/json") for image in sorted(images)),
    ]


def kept_images(stack: Stack) -> str:
    """Return the URL that lists the images under our own tags, in any repository.

    The list itself is not parsed: with a filter it leaves the digests out.
    """
    depths = ("", "*/", "*/*/", "*/*/*/")
    return engine(
        "/images/json",
        {"filters": {"reference": [f"{d}*:{stack.container_prefix}*" for d in depths]}},
    )


def parse(stack: Stack, output: str) -> Snapshot:
    """Parse what the script printed."""
    web, _, disk = output.partition(MANIFESTS_MARK)
    found = answers(web)
    version = _json(found, engine("/version"))
    if not isinstance(version, dict):
        return Snapshot()
    containers = {
        c.id: c
        for c in (
            ObservedContainer.from_inspect(a.json)
            for a in found.values()
            if a.ok
            and "/containers/" in a.url
            and a.url.endswith("/json")
            and "Id" in (a.json or ())
        )
    }
    images = _images(found)
    volumes = _json(found, engine("/volumes")) or {}
    snapshot = Snapshot(
        version=version.get("Version", ""),
        architecture=version.get("Arch", ""),
        containers=tuple(sorted(containers.values(), key=lambda c: c.name)),
        images=images,
        volumes={v["Name"]: v.get("Labels") or {} for v in volumes.get("Volumes") or ()},
        foreign=_foreign(found, set(containers)),
        stored=_stored(stack, MANIFESTS_MARK + disk if disk else ""),
        kept=tuple(KeptImage.among(images.values(), stack.container_prefix)),
    )
    servers = {
        service.name: server_of(found, service)
        for service in stack.services
        if _is_serving(stack, service, snapshot)
    }
    return Snapshot(**{**snapshot.__dict__, "servers": servers})


def _is_serving(stack: Stack, service: Service, snapshot: Snapshot) -> bool:
    """Tell whether what answers on the port can be our container, and nobody else's server."""
    container = snapshot.named(stack.container_name(service))
    if container is None or not container.is_running:
        return False
    return any(p.startswith(f"{service.bind}:{service.port}->") for p in container.ports)


def server_of(found: dict[str, Answer], service: Service) -> ObservedServer:
    """Return the server of a service from its answers."""
    version, tags, loaded = (_json(found, service.url + path) for path in SERVER_PATHS)
    return ObservedServer.from_answers(version, tags, loaded)


def _json(found: dict[str, Answer], url: str) -> Any:
    answer = found.get(url)
    return answer.json if answer is not None and answer.ok else None


def _images(found: dict[str, Answer]) -> dict[str, ObservedImage]:
    images: dict[str, ObservedImage] = {}
    start = engine("/images/")
    for answer in found.values():
        if answer.ok and answer.url.startswith(start) and isinstance(answer.json, dict):
            image = ObservedImage.from_inspect(answer.json)
            images[answer.url.removeprefix(start).removesuffix("/json")] = image
            images[image.id] = image
    return images


def _foreign(found: dict[str, Answer], inspected: set[str]) -> tuple[ForeignContainer, ...]:
    everything = _json(found, engine("/containers/json", {"all": 1})) or ()
    return tuple(
        ForeignContainer(
            name=(c.get("Names") or ["?"])[0].lstrip("/"),
            ports=tuple(
                sorted({p["PublicPort"] for p in c.get("Ports") or () if "PublicPort" in p})
            ),
            is_running=c.get("State") in ("running", "paused", "restarting"),
            image=c.get("Image", ""),
            image_id=c.get("ImageID", ""),
        )
        for c in everything
        if c["Id"] not in inspected
    )


def _stored(stack: Stack, text: str) -> dict[str, dict[str, ServedModel] | None]:
    """Parse the manifests on the volumes: lines of sha256sum, and the path that names a model."""
    stored: dict[str, dict[str, ServedModel] | None] = {}
    services = {stack.container_name(s): s.name for s in stack.services}
    models: dict[str, ServedModel] = {}
    for line in text.splitlines():
        if line.startswith(MANIFESTS_MARK):
            models = {}
            stored[services[line.split()[1]]] = models
        elif line == "unreadable":
            stored[list(stored)[-1]] = None
        elif line:
            digest, _, path = line.partition("  ./")
            name = model_name(path)
            if name:
                models[name] = ServedModel(name, f"sha256:{digest}", 0)
    return stored


def model_name(path: str) -> str:
    """Turn "registry.ollama.ai/library/qwen2.5-coder/7b" into the name that Ollama shows."""
    parts = path.split("/")
    if len(parts) != 4:
        return ""
    registry, namespace, name, tag = parts
    reference = ModelReference(namespace, name, tag)
    return str(reference) if registry == OLLAMA_REGISTRY else reference.at(registry)
