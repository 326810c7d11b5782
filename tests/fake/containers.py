"""One container of the fake engine: what it was made of, its state, and how the API shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fake.images import Image
from tests.fake.ollama import FakeOllama

NEVER = "0001-01-01T00:00:00Z"


def now() -> str:
    """Return the time as the engine writes it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}000Z"


@dataclass
class Container:
    """A container. `body` is what it was created with; `status` is Docker's word."""

    id: str
    name: str
    image: Image
    body: Mapping[str, Any]
    status: str = "created"
    started_at: str = NEVER
    finished_at: str = NEVER
    created: str = field(default_factory=now)
    exit_code: int = 0
    error: str = ""
    log: list[str] = field(default_factory=list)
    server: FakeOllama | None = None

    @property
    def host(self) -> Mapping[str, Any]:
        """The part of `body` that is about the host."""
        return self.body.get("HostConfig") or {}

    @property
    def labels(self) -> dict[str, str]:
        """Its labels, those of its image included."""
        of_image = self.image.settings["config"].get("Labels") or {}
        return {**of_image, **(self.body.get("Labels") or {})}

    @property
    def is_up(self) -> bool:
        """Tell whether its process is there, paused or not."""
        return self.status in ("running", "paused")

    @property
    def published(self) -> list[tuple[str, int, str]]:
        """Address, host port and inner port ("11434/tcp") of each published port."""
        return [
            (binding.get("HostIp") or "0.0.0.0", int(binding.get("HostPort") or 0), inner)
            for inner, bindings in (self.host.get("PortBindings") or {}).items()
            for binding in bindings or ()
        ]

    @property
    def volume(self) -> str:
        """The volume that is mounted, "" where none is."""
        mounts = self.host.get("Mounts") or ()
        return next((str(m["Source"]) for m in mounts if m.get("Type") == "volume"), "")

    def inspect(self, mountpoint: str) -> dict[str, Any]:
        """Return what GET /containers/NAME/json shows, with its fields in the engine's order."""
        return {
            "Id": self.id,
            "Created": self.created,
            "Path": "/bin/ollama",
            "Args": ["serve"],
            "State": self._state(),
            "Image": self.image.id,
            "LogPath": "",
            "Name": f"/{self.name}",
            "RestartCount": 0,
            "Driver": "overlay2",
            "Platform": "linux",
            "ExecIDs": None,
            "HostConfig": self._host_config(),
            "GraphDriver": {"Data": {}, "Name": "overlay2"},
            "Mounts": self._mounts(mountpoint),
            "Config": self._config(),
            "NetworkSettings": {
                "Ports": self._port_map() if self.is_up else {},
                "Networks": {"bridge": {"NetworkID": "0" * 64, "IPAddress": ""}},
            },
        }

    def _state(self) -> dict[str, Any]:
        health = {"running": "starting", "paused": "starting"}.get(self.status, "unhealthy")
        return {
            "Status": self.status,
            "Running": self.is_up,
            "Paused": self.status == "paused",
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": 4242 if self.is_up else 0,
            "ExitCode": self.exit_code,
            "Error": self.error,
            "StartedAt": self.started_at,
            "FinishedAt": self.finished_at,
            "Health": {"Status": health, "FailingStreak": 0, "Log": []},
        }

    def _host_config(self) -> dict[str, Any]:
        return {
            "Binds": None,
            "ContainerIDFile": "",
            "LogConfig": {"Type": "json-file", "Config": {}},
            "NetworkMode": "bridge",
            "PortBindings": {},
            "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
            "Memory": 0,
            "NanoCpus": 0,
            "DeviceRequests": None,
            **self.host,
        }

    def _config(self) -> dict[str, Any]:
        of_image = self.image.settings["config"]
        elsewhere = ("HostConfig", "NetworkingConfig", "NetworkDisabled")
        given = {key: value for key, value in self.body.items() if key not in elsewhere}
        own = {pair.partition("=")[0] for pair in self.body.get("Env") or ()}
        kept = [pair for pair in of_image.get("Env") or () if pair.partition("=")[0] not in own]
        return {
            "Hostname": self.id[:12],
            "Tty": False,
            **of_image,
            **given,
            "Env": [*(self.body.get("Env") or ()), *kept],
            "Labels": self.labels,
        }

    def _mounts(self, mountpoint: str) -> list[dict[str, Any]]:
        shown = []
        for mount in self.host.get("Mounts") or ():
            is_volume = mount.get("Type") == "volume"
            source = {"Name": mount["Source"], "Source": mountpoint, "Driver": "local"}
            shown.append(
                {
                    "Type": mount.get("Type"),
                    **(source if is_volume else {"Source": mount["Source"]}),
                    "Destination": mount["Target"],
                    "Mode": "z" if is_volume else "",
                    "RW": not mount.get("ReadOnly", False),
                    "Propagation": "",
                }
            )
        return shown

    def _port_map(self) -> dict[str, list[dict[str, str]]]:
        found: dict[str, list[dict[str, str]]] = {}
        for address, port, inner in self.published:
            found.setdefault(inner, []).append({"HostIp": address, "HostPort": str(port)})
        return found

    def listed(self, mountpoint: str) -> dict[str, Any]:
        """Return its entry in GET /containers/json."""
        ports = [
            {
                "IP": address,
                "PrivatePort": int(inner.partition("/")[0]),
                "PublicPort": port,
                "Type": "tcp",
            }
            for address, port, inner in self.published
        ]
        return {
            "Id": self.id,
            "Names": [f"/{self.name}"],
            "Image": self.body["Image"],
            "ImageID": self.image.id,
            "Command": "/bin/ollama serve",
            "Created": int(datetime.fromisoformat(self.created[:26]).timestamp()),
            "Ports": ports if self.is_up else [],
            "Labels": self.labels,
            "State": self.status,
            "Status": "Up 11 seconds" if self.is_up else f"Exited ({self.exit_code})",
            "HostConfig": {"NetworkMode": "bridge"},
            "NetworkSettings": {"Networks": {"bridge": {"NetworkID": "0" * 64}}},
            "Mounts": self._mounts(mountpoint),
        }
