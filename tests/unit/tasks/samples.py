"""Values that many tests start from. The objects of the engine are built here, not recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tasks.containers.observed import STACK_LABEL, ObservedContainer, ObservedImage, Snapshot
from tasks.containers.spec import ContainerSpec, spec_of
from tasks.declared.layers import Layer, defaults_layer, merge
from tasks.declared.stack import Stack, declare

DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64
IMAGE = ObservedImage(
    "sha256:" + "1" * 64, ("ollama/ollama:0.24.0",), (DIGEST,), {"PATH": "/bin", "HOME": "/root"}
)


def stack(**settings: Any) -> Stack:
    """Declare the default stack, with one model a service, with some settings changed."""
    small = Layer(
        "samples",
        {"models": {"qwen": {"model": "qwen2.5-coder:7b", "agent": "", "context": 16384}}},
    )
    changed = Layer("stack.toml", {"gpu": "off", **settings})
    return declare(merge([defaults_layer(), small, changed]))


def spec(declared: Stack, service: str = "qwen") -> ContainerSpec:
    """Return the declared container of a service."""
    found = next(s for s in declared.services if s.name == service)
    return spec_of(declared, found, gpu="")


def inspect(wanted: ContainerSpec, image: ObservedImage = IMAGE) -> dict[str, Any]:
    """Return what the engine would show of a container made from a spec (20.10's shape)."""
    body = wanted.create_body()
    mounts = [
        {
            "Type": m["Type"],
            "Name": m["Source"],
            "Source": m["Source"],
            "Destination": m["Target"],
            "RW": not m.get("ReadOnly", False),
        }
        for m in body["HostConfig"]["Mounts"]
    ]
    inherited = [f"{k}={v}" for k, v in image.environment.items()]
    return {
        "Id": "c" * 64,
        "Name": f"/{wanted.name}",
        "Image": image.id,
        "State": {"Status": "running", "StartedAt": "2026-01-01T00:00:00Z", "ExitCode": 0},
        "Config": {
            "Image": wanted.image,
            "Labels": body["Labels"],
            "Env": [*body["Env"], *inherited],
            "Healthcheck": body["Healthcheck"],
        },
        "HostConfig": {**body["HostConfig"], "MemorySwap": 0},
        "NetworkSettings": {"Networks": {"bridge": {}}},
        "Mounts": mounts,
    }


def container(wanted: ContainerSpec, **changes: Any) -> ObservedContainer:
    """Return a container as its spec asks for, with some fields changed."""
    return replace(ObservedContainer.from_inspect(inspect(wanted)), **changes)


def snapshot(*containers: ObservedContainer, **more: Any) -> Snapshot:
    """Return a host with the image, the volumes of the containers, and these containers."""
    labels = {STACK_LABEL: "ollama-"}
    volumes = {c.name.removesuffix("-previous"): labels for c in containers}
    return Snapshot(
        **{
            "version": "20.10.24",
            "containers": containers,
            "images": {"ollama/ollama:0.24.0": IMAGE, IMAGE.id: IMAGE},
            "volumes": volumes,
            **more,
        }
    )
