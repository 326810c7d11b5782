"""daemon.json: what the declaration wants in it, merged so that every other key is kept."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.stack import Stack
from tasks.steps import Failure

PATH = "/etc/docker/daemon.json"
INSECURE = "insecure-registries"
PROXIES = "proxies"
# The engine knows "proxies" since 23.0; an older one does not start with a key it does not know.
PROXIES_SINCE = 23


class Refused(Exception):
    """The file is not what we may write to; the text says why."""


@dataclass(frozen=True)
class Wanted:
    """What the declaration wants of the engine. Proxies may hold passwords: never shown."""

    insecure_registry: str = ""
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""

    @property
    def has_proxy(self) -> bool:
        """Tell whether the engine is to use a proxy."""
        return bool(self.http_proxy or self.https_proxy)

    @property
    def proxies(self) -> dict[str, str]:
        """The engine's key "proxies"; only what is declared."""
        named = {
            "http-proxy": self.http_proxy,
            "https-proxy": self.https_proxy,
            "no-proxy": self.no_proxy,
        }
        return {key: value for key, value in named.items() if value}

    def __repr__(self) -> str:
        return f"Wanted(insecure_registry={self.insecure_registry!r}, proxies hidden)"


def wanted(stack: Stack) -> Wanted:
    """Return what the declaration wants. The engine lets loopback registries be insecure anyway."""
    mirror = stack.image_mirror if stack.image_mirror_insecure else ""
    return Wanted(
        insecure_registry="" if is_loopback(mirror) else mirror,
        http_proxy=stack.http_proxy,
        https_proxy=stack.https_proxy,
        no_proxy=stack.no_proxy,
    )


def is_loopback(registry: str) -> bool:
    """Tell whether a registry "host:port" is this host itself: 127.0.0.0/8, [::1], localhost."""
    host = registry.rpartition(":")[0] if registry.rpartition(":")[2].isdecimal() else registry
    if host.strip("[]") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def parse(text: str | None) -> dict[str, Any]:
    """Parse daemon.json; no file and an empty one are no settings. Raises Refused."""
    if text is None or not text.strip():
        return {}
    try:
        value = json.loads(text, object_pairs_hook=_without_doubles)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise Refused(f"it holds more than one JSON value (line {error.lineno})") from None
        raise Refused(
            f"it is not valid JSON: {error.msg} in line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise Refused("it is nested too deep") from None
    if not isinstance(value, dict):
        raise Refused("it is not a JSON object")
    for key in ("runtimes", PROXIES, "features"):
        if key in value and not isinstance(value[key], dict):
            raise Refused(f'"{key}" is {_kind(value[key])} and should be an object')
    registries = value.get(INSECURE, [])
    if not isinstance(registries, list) or not all(isinstance(one, str) for one in registries):
        raise Refused(f'"{INSECURE}" is {_kind(registries)} and should be a list of texts')
    return value


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Refused(f'it holds the key "{key}" twice')
        found[key] = value
    return found


def _kind(value: Any) -> str:
    return "null" if value is None else f"a {type(value).__name__}"


def merge(current: Mapping[str, Any], want: Wanted, *, proxies: bool) -> dict[str, Any]:
    """Return the settings with what is wanted; `proxies`: those too, where the engine knows them.

    A proxy that somebody set by hand and the declaration does not name stays.
    """
    merged = dict(current)
    registries = list(current.get(INSECURE, []))
    if want.insecure_registry and want.insecure_registry not in registries:
        merged[INSECURE] = [*registries, want.insecure_registry]
    if proxies and want.has_proxy:
        merged[PROXIES] = {**current.get(PROXIES, {}), **want.proxies}
    return merged


def text_of(settings: Mapping[str, Any]) -> str:
    """Return settings as the text of a daemon.json; the order of the keys is kept."""
    return json.dumps(settings, indent=4, ensure_ascii=False) + "\n"


def lost(before: Any, after: Any, path: str = "") -> list[str]:
    """Name what another program's edit dropped or changed; lists may only have grown."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return [
            name
            for key, value in before.items()
            for name in (
                lost(value, after[key], f"{path}{key}.") if key in after else [f"{path}{key}"]
            )
        ]
    if isinstance(before, list) and isinstance(after, list):
        return [] if all(one in after for one in before) else [path.removesuffix(".")]
    return [] if before == after else [path.removesuffix(".")]


def knows_proxies(version: str) -> bool:
    """Tell whether an engine of this version knows "proxies" in daemon.json."""
    major = version.lstrip("v").partition(".")[0]
    return major.isdecimal() and int(major) >= PROXIES_SINCE


def refusal(cause: str) -> Failure:
    """Say that the file is left alone, and how to go on."""
    remedy = f"correct it by hand (sudoedit {PATH}), then run again; it was left as it is"
    return Failure(f"{PATH} was not changed", cause, remedy)
