"""The container that a service is declared to be, in the words of the Engine API."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.containers.observed import (
    CDI_DEVICE,
    IMAGE_LABEL,
    SERVICE_LABEL,
    SPEC_LABEL,
    STACK_LABEL,
    Attachment,
    ObservedContainer,
)
from tasks.declared.environment import CONTEXT_VARIABLE
from tasks.declared.stack import FOLLOWING, KEPT, MODELS_FOLDER, OLLAMA_PORT, Service, Stack
from tasks.words.secrets import MASK
from tasks.words.secrets.variables import is_private

INNER_PORT = f"{OLLAMA_PORT}/tcp"
NETWORK = "bridge"
RESTART = "unless-stopped"
CA_INSIDE = "/usr/local/share/ca-certificates/ollama-stack.crt"
# Endings: of the container that a replacement sets aside, and of the tags of an image that is
# kept for a rollback, or was pulled for an upgrade that is not through.
PREVIOUS = KEPT
NEXT = FOLLOWING
STOP_TIMEOUT = 10
SECOND = 1_000_000_000
# Source: the Engine API's DeviceRequest; the second is what `--device` sends for a CDI name.
DEVICES: dict[str, dict[str, Any]] = {
    "gpus": {"Driver": "", "Count": -1, "Capabilities": [["gpu"]]},
    "cdi": {"Driver": "cdi", "DeviceIDs": [CDI_DEVICE]},
}
_UNITS = {"b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
# The image holds no curl; ollama asks its own server.
HEALTH_CHECK = {
    "Test": ["CMD", "ollama", "ls"],
    "Interval": 30 * SECOND,
    "Timeout": 10 * SECOND,
    "StartPeriod": 15 * SECOND,
    "Retries": 3,
}


@dataclass(frozen=True)
class ContainerSpec:
    """Everything that we set on a container. `memory` is in bytes, `nano_cpus` in 1e-9 cores."""

    name: str
    stack: str
    service: str
    image: str
    environment: Mapping[str, str]
    bind: str
    port: int
    volume: str
    ca_certificate: str
    memory: int
    nano_cpus: int
    gpu: Attachment
    log_options: Mapping[str, str]

    @property
    def previous_name(self) -> str:
        """The name under which the container that this one replaces is set aside."""
        return self.name + PREVIOUS

    @property
    def digest(self) -> str:
        """A hash of the spec, for its label: tells a hand's edit from a new declaration.

        Without the image's name: the same image from another mirror is the same container.
        """
        body = {**self.create_body(with_digest=False), "Image": ""}
        content = json.dumps(body, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def labels(self) -> dict[str, str]:
        """Return the labels that make the container ours."""
        return {STACK_LABEL: self.stack, SERVICE_LABEL: self.service}

    def create_body(self, *, with_digest: bool = True) -> dict[str, Any]:
        """Return the body of POST /containers/create."""
        labels = self.labels()
        if with_digest:
            labels |= {SPEC_LABEL: self.digest, IMAGE_LABEL: self.image}
        mounts = [{"Type": "volume", "Source": self.volume, "Target": MODELS_FOLDER}]
        if self.ca_certificate:
            mounts.append({"Type": "bind", "Source": self.ca_certificate, "Target": CA_INSIDE})
            mounts[-1]["ReadOnly"] = True  # type: ignore[assignment]
        host: dict[str, Any] = {
            "PortBindings": {INNER_PORT: [{"HostIp": self.bind, "HostPort": str(self.port)}]},
            "Mounts": mounts,
            "RestartPolicy": {"Name": RESTART},
            "NetworkMode": NETWORK,
            "LogConfig": {"Type": "json-file", "Config": dict(self.log_options)},
            "Memory": self.memory,
            "NanoCpus": self.nano_cpus,
        }
        if self.gpu:
            host["DeviceRequests"] = [DEVICES[self.gpu]]
        return {
            "Image": self.image,
            "Env": [f"{name}={value}" for name, value in sorted(self.environment.items())],
            "Labels": labels,
            "ExposedPorts": {INNER_PORT: {}},
            "Healthcheck": HEALTH_CHECK,
            "StopTimeout": STOP_TIMEOUT,
            "HostConfig": host,
        }

    def docker_run(self) -> str:
        """Return the equal `docker run` command, for people; values of private variables hidden."""
        words = ["docker", "run", "-d", "--name", self.name, "--restart", RESTART]
        words += ["-p", f"{self.bind}:{self.port}:{OLLAMA_PORT}"]
        words += ["-v", f"{self.volume}:{MODELS_FOLDER}"]
        if self.ca_certificate:
            words += ["-v", f"{self.ca_certificate}:{CA_INSIDE}:ro"]
        words += {"": [], "gpus": ["--gpus", "all"], "cdi": ["--device", CDI_DEVICE]}[self.gpu]
        if self.memory:
            words += ["--memory", str(self.memory)]
        if self.nano_cpus:
            words += ["--cpus", f"{self.nano_cpus / SECOND:g}"]
        for name, value in sorted(self.environment.items()):
            words += ["-e", f"{name}={MASK if is_private(name, value) else value}"]
        return shlex.join([*words, self.image])


def spec_of(stack: Stack, service: Service, *, gpu: Attachment) -> ContainerSpec:
    """Return the container that the declaration asks for; `gpu`: how this host attaches one."""
    return ContainerSpec(
        name=stack.container_name(service),
        stack=stack.container_prefix,
        service=service.name,
        image=str(stack.image_reference(service)),
        environment=_environment(stack, service),
        bind=service.bind,
        port=service.port,
        volume=stack.container_name(service),
        ca_certificate=stack.ca_certificate,
        memory=size_in_bytes(service.memory),
        nano_cpus=round(service.cpus * SECOND),
        gpu=gpu if service.gpu != "off" else "",
        log_options={"max-size": stack.log_max_size, "max-file": str(stack.log_max_files)},
    )


def spec_as_attached(
    stack: Stack, service: Service, container: ObservedContainer | None
) -> ContainerSpec:
    """Return the declared container where nobody judges the host's GPU: who has one keeps it."""
    return spec_of(stack, service, gpu=container.attachment if container is not None else "")


def _environment(stack: Stack, service: Service) -> dict[str, str]:
    values = {
        "OLLAMA_HOST": f"0.0.0.0:{OLLAMA_PORT}",
        CONTEXT_VARIABLE: str(service.context),
        "OLLAMA_KEEP_ALIVE": service.keep_alive,
        "OLLAMA_NUM_PARALLEL": str(service.parallel),
        "OLLAMA_KV_CACHE_TYPE": service.kv_cache_type,
        "OLLAMA_FLASH_ATTENTION": "1" if service.flash_attention else "0",
        "HTTP_PROXY": stack.http_proxy,
        "HTTPS_PROXY": stack.https_proxy,
        "NO_PROXY": stack.no_proxy,
        "SSL_CERT_FILE": CA_INSIDE if stack.ca_certificate else "",
    }
    return {name: value for name, value in {**values, **service.environment}.items() if value}


def size_in_bytes(size: str) -> int:
    """Turn "12g" into bytes, as Docker does; "" is 0 (no limit)."""
    if not size:
        return 0
    return int(size.rstrip("bkmg")) * _UNITS.get(size[-1], 1)
