"""What one look at the Docker Engine shows: its version, its settings, what runs on it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tasks.docker_engine import messages
from tasks.shell.answers import Answer, answers
from tasks.shell.engine_api import engine
from tasks.shell.output import sections, values
from tasks.words.digests import short
from tasks.words.foreign import BadAnswer, Fields
from tasks.words.messages import Text

STACK_LABEL = "ollama-stack.stack"


@dataclass(frozen=True)
class ObservedEngine:
    """The engine as far as it can be asked; `version` is "" where it does not answer.

    `daemon_json` is the text of /etc/docker/daemon.json, None where there is no such file;
    `daemon_json_error` tells why the file that is there cannot be read as text.
    `running` are the running containers: name, and the stack that their label names, or "".
    `hides_containers`: it was asked and did not tell what runs, so that nobody knows whose it is.
    `has_cdi`: it reads descriptions of devices by CDI (25.0 can; newer ones do so by themselves).
    `keeps_containers`: live-restore, so that a restart of the engine leaves containers running.
    """

    version: str = ""
    daemon_json: str | None = None
    daemon_json_error: Text | None = None
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
        """Parse what the look printed; what is missing keeps its default."""
        parts = sections(lines)
        text, error = daemon_json(values(parts.get("daemon.json", ())))
        found = answers("\n".join(parts.get("api", ())))
        info = _read(_info, found, "/info")
        listed = _read(_running, found, "/containers/json")
        return cls(
            version=_read(_version, found, "/version") or "",
            daemon_json=text,
            daemon_json_error=error,
            running=listed or (),
            hides_containers=bool(found) and not (info and listed is not None),
            **(info or {}),
        )


T = TypeVar("T")


def _read(parse: Callable[[Any], T], found: Mapping[str, Answer], path: str) -> T | None:
    """Read one answer; None where it did not come, or is not what it should be."""
    answer = found.get(engine(path))
    try:
        return parse(answer.json) if answer is not None and answer.ok else None
    except BadAnswer:
        return None


def _version(value: Any) -> str:
    return Fields(value).text("Version")


def _info(value: Any) -> dict[str, Any]:
    """Return what GET /info tells, by the names of the fields; nothing where it tells nothing."""
    info = Fields(value, "the engine")
    devices = [(one.text("Source"), one.text("ID")) for one in info.objects("DiscoveredDevices")]
    found = {
        "keeps_containers": info.flag("LiveRestoreEnabled"),
        "is_in_swarm": info.object("Swarm").text("LocalNodeState") not in ("", "inactive"),
        "insecure_registries": _insecure(info.object("RegistryConfig")),
        "http_proxy": info.text("HttpProxy"),
        "https_proxy": info.text("HttpsProxy"),
        "no_proxy": info.text("NoProxy"),
        "runtimes": tuple(sorted(info.object("Runtimes").value)),
        "has_cdi": bool(info.texts("CDISpecDirs")),
        "cdi_devices": tuple(name for source, name in devices if source == "cdi"),
    }
    return found if info.value else {}


def _insecure(registries: Fields) -> tuple[str, ...]:
    named = registries.object("IndexConfigs")
    indexes = ((name, named.object(name)) for name in named.value)
    hosts = [
        name for name, index in indexes if "Secure" in index.value and not index.flag("Secure")
    ]
    return tuple(sorted([*hosts, *registries.texts("InsecureRegistryCIDRs")]))


def daemon_json(found: Mapping[str, str]) -> tuple[str | None, Text | None]:
    """Return the text of daemon.json, or why it cannot be read; neither where there is none."""
    if found.get("exists") != "yes":
        return None, None
    if "wrong" in found:
        return None, messages.UNREADABLE(words=found["wrong"])
    if "content" not in found:
        return None, messages.NOT_READ()
    try:
        return base64.b64decode(found["content"], validate=True).decode("utf-8"), None
    except (binascii.Error, UnicodeDecodeError):
        return None, messages.NOT_UTF8()


def _running(value: Any) -> tuple[tuple[str, str], ...]:
    """Return names and stacks of running containers, from GET /containers/json."""
    if not isinstance(value, list):
        raise BadAnswer("it is no list")
    listed = Fields({"the list": value}).objects("the list")
    return tuple(sorted((_name(one), one.labels("Labels").get(STACK_LABEL, "")) for one in listed))


def _name(container: Fields) -> str:
    names = container.texts("Names") or [short(container.text("Id")) or "?"]
    return names[0].lstrip("/")
