"""What the fake engine says of itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tests.fake.containers import Container

API, OLDEST = "1.41", "1.12"
BRIDGE = {"Name": "bridge", "Id": "0" * 64, "Scope": "local", "Driver": "bridge", "Labels": {}}


def version(number: str) -> dict[str, Any]:
    """Return what GET /version shows."""
    details = {"ApiVersion": API, "Arch": "amd64", "MinAPIVersion": OLDEST, "Os": "linux"}
    return {
        "Platform": {"Name": ""},
        "Components": [{"Name": "Engine", "Version": number, "Details": details}],
        "Version": number,
        "ApiVersion": API,
        "MinAPIVersion": OLDEST,
        "GitCommit": "5d6db84",
        "GoVersion": "go1.19.8",
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": "6",
        "BuildTime": "2026-05-07T21:09:36.000000000+00:00",
    }


def info(number: str, containers: Iterable[Container], images: int) -> dict[str, Any]:
    """Return what GET /info shows."""
    states = [container.status for container in containers]
    index = {"Name": "docker.io", "Mirrors": [], "Secure": True, "Official": True}
    return {
        "ID": "FAKE",
        "Containers": len(states),
        "ContainersRunning": states.count("running"),
        "ContainersPaused": states.count("paused"),
        "ContainersStopped": states.count("exited"),
        "Images": images,
        "Driver": "overlay2",
        "ServerVersion": number,
        "OperatingSystem": "Fake",
        "Architecture": "x86_64",
        "DockerRootDir": "/var/lib/docker",
        "RegistryConfig": {
            "InsecureRegistryCIDRs": ["127.0.0.0/8"],
            "IndexConfigs": {"docker.io": index},
            "Mirrors": [],
        },
        "Runtimes": {"runc": {"path": "runc"}},
        "DefaultRuntime": "runc",
        "Swarm": {"NodeID": "", "LocalNodeState": "inactive"},
        "LiveRestoreEnabled": False,
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
        "Warnings": None,
    }
