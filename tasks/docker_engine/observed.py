"""What one look at the Docker Engine shows: its version, its settings, what runs on it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tasks.engine_api import answers, engine
from tasks.host.sections import sections, values

STACK_LABEL = "ollama-stack.stack"


@dataclass(frozen=True)
class ObservedEngine:
    """The engine as far as it can be asked; `version` is "" where it does not answer.

    `daemon_json` is the text of /etc/docker/daemon.json, None where there is no such file;
    `daemon_json_error` is not empty where the file is there and cannot be read as text.
    `running` are the running containers: name, and the stack that their label names, or "".
    `hides_containers`: it was asked and did not tell what runs, so that nobody knows whose it is.
    `has_cdi`: it reads descriptions of devices by CDI (25.0 can; newer ones do so by themselves).
    `keeps_containers`: live-restore, so that a restart of the engine leaves containers running.
    """

    version: str = ""
    daemon_json: str | None = None
    daemon_json_error: str = ""
    running: tuple[tuple[str, str], ...] = ()
    hides_containers: bool = False
    keeps_containers: bool = False
    is_in_swarm: bool = False
    insecure_registries: tuple[str, ...] = ()
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    runtimes: tuple[str, ...] = ()
    cdi_devices: tuple[str, ...] = ()
    has_cdi: bool = False

    def foreign(self, container_prefix: str) -> tuple[str, ...]:
        """Return the names of the running containers that are not of this stack."""
        return tuple(name for name, stack in self.running if stack != container_prefix)

    @classmethod
    def from_lines(cls, lines: Iterable[str]) -> ObservedEngine:
        """Parse what the script of EngineFacts printed; what is missing keeps its default."""
        parts = sections(lines)
        text, error = daemon_json(values(parts.get("daemon.json", ())))
        found = answers("\n".join(parts.get("api", ())))
        bodies = {url: answer.json for url, answer in found.items() if answer.ok}
        info = _mapping(bodies.get(engine("/info")))
        containers = bodies.get(engine("/containers/json"))
        registries = _mapping(info.get("RegistryConfig"))
        return cls(
            version=str(_mapping(bodies.get(engine("/version"))).get("Version", "")),
            daemon_json=text,
            daemon_json_error=error,
            running=running(containers if isinstance(containers, list) else ()),
            hides_containers=bool(found) and not (info and isinstance(containers, list)),
            keeps_containers=bool(info.get("LiveRestoreEnabled")),
            is_in_swarm=_mapping(info.get("Swarm")).get("LocalNodeState", "inactive") != "inactive",
            insecure_registries=_insecure(registries),
            http_proxy=str(info.get("HttpProxy") or ""),
            https_proxy=str(info.get("HttpsProxy") or ""),
            no_proxy=str(info.get("NoProxy") or ""),
            runtimes=tuple(sorted(_mapping(info.get("Runtimes")))),
            has_cdi=bool(info.get("CDISpecDirs")),
            cdi_devices=tuple(
                str(device.get("ID", ""))
                for device in info.get("DiscoveredDevices") or ()
                if isinstance(device, Mapping) and device.get("Source") == "cdi"
            ),
        )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _insecure(registries: Mapping[str, Any]) -> tuple[str, ...]:
    named = _mapping(registries.get("IndexConfigs"))
    hosts = [name for name, index in named.items() if not _mapping(index).get("Secure", True)]
    return tuple(sorted([*hosts, *(registries.get("InsecureRegistryCIDRs") or ())]))


def daemon_json(found: Mapping[str, str]) -> tuple[str | None, str]:
    """Return the text of daemon.json and what is wrong with reading it."""
    if found.get("exists") != "yes":
        return None, ""
    if "wrong" in found:
        return None, found["wrong"]
    if "content" not in found:
        return None, "it cannot be read"
    try:
        return base64.b64decode(found["content"], validate=True).decode("utf-8"), ""
    except (binascii.Error, UnicodeDecodeError):
        return None, "it is not UTF-8 text"


def running(containers: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    """Return names and stacks of running containers, from GET /containers/json."""
    return tuple(
        sorted(
            (
                str((c.get("Names") or [c.get("Id", "?")[:12]])[0]).lstrip("/"),
                str(_mapping(c.get("Labels")).get(STACK_LABEL, "")),
            )
            for c in containers
        )
    )
