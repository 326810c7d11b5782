"""daemon.json: what the declaration wants in it, merged so that every other key is kept."""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.declared.stack import Stack
from tasks.docker_engine import messages
from tasks.words.failures import Failed, Failure
from tasks.words.messages import Text

PATH = "/etc/docker/daemon.json"
BOM = "\ufeff"
INSECURE = "insecure-registries"
PROXIES = "proxies"
FEATURES = "features"
RUNTIMES = "runtimes"
LIVE_RESTORE = "live-restore"
# The engine knows "proxies" since 23.0; an older one does not start with a key it does not know.
PROXIES_SINCE = 23
# What `nvidia-ctk runtime configure --runtime=docker` of 1.20.1 writes. It is not called: it panics
# on `"runtimes": null`, drops all but the first of two JSON objects and of two equal keys, rounds
# large numbers, sorts the keys, stops at an empty file, and replaces a runtime "nvidia" that
# somebody set up (all seen by running it: tests/stack/test_daemon_json.py).
NVIDIA = "nvidia"
NVIDIA_RUNTIME = {"args": [], "path": "nvidia-container-runtime"}


class Refused(Failed):
    """The file is not what we may write to, and was left as it is."""

    def __init__(self, cause: Text) -> None:
        super().__init__(cause, messages.CORRECT_FILE(path=PATH), f"{PATH} was not changed")


@dataclass(frozen=True)
class Wanted:
    """What the declaration wants of the engine. Proxies may hold passwords: never shown."""

    insecure_registry: str = ""
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    live_restore: bool = False

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
        shown = f"{self.insecure_registry!r}, live_restore={self.live_restore}"
        return f"Wanted(insecure_registry={shown}, proxies hidden)"


def wanted(stack: Stack) -> Wanted:
    """Return what the declaration wants. The engine lets loopback registries be insecure anyway."""
    mirror = stack.image_mirror if stack.image_mirror_insecure else ""
    return Wanted(
        insecure_registry="" if is_loopback(mirror) else mirror,
        http_proxy=stack.http_proxy,
        https_proxy=stack.https_proxy,
        no_proxy=stack.no_proxy,
        live_restore=stack.live_restore,
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
    if text.startswith(BOM):
        raise Refused(messages.HAS_MARK())
    try:
        value = json.loads(
            text,
            object_pairs_hook=_without_doubles,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
        )
    except json.JSONDecodeError as error:
        if error.msg == "Extra data":
            raise Refused(messages.TWO_VALUES(line=error.lineno)) from None
        raise Refused(
            messages.NO_JSON(words=error.msg, line=error.lineno, column=error.colno)
        ) from None
    except RecursionError:
        raise Refused(messages.TOO_DEEP()) from None
    if not isinstance(value, dict):
        raise Refused(messages.NO_OBJECT())
    _check(value)
    return value


def _check(value: Mapping[str, Any]) -> None:
    """Refuse what we cannot merge into, or could not write again as it was."""
    for key in (RUNTIMES, PROXIES, FEATURES):
        if key in value and not isinstance(value[key], dict):
            raise Refused(messages.KEY_NO_OBJECT(key=key, kind=_kind(value[key])))
    for name, runtime in value.get(RUNTIMES, {}).items():
        if not isinstance(runtime, dict):
            raise Refused(messages.RUNTIME_NO_OBJECT(name=name, kind=_kind(runtime)))
    registries = value.get(INSECURE, [])
    if not isinstance(registries, list) or not all(isinstance(one, str) for one in registries):
        raise Refused(messages.NO_TEXTS(key=INSECURE, kind=_kind(registries)))
    try:
        text_of(value).encode()
    except UnicodeEncodeError:
        raise Refused(messages.HALF_CHARACTER()) from None


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise Refused(messages.KEY_TWICE(key=key))
        found[key] = value
    return found


def _no_number(text: str) -> float:
    raise Refused(messages.NO_NUMBER(text=text))


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Refused(messages.LARGE_NUMBER(text=text))
    return number


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        # Python takes no number of more digits than sys.get_int_max_str_digits().
        raise Refused(messages.MANY_DIGITS(count=len(text))) from None


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
    if want.live_restore:
        merged[LIVE_RESTORE] = True
    if proxies and want.has_proxy:
        merged[PROXIES] = {**current.get(PROXIES, {}), **want.proxies}
    return merged


def with_nvidia(current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with the toolkit's runtime; one of that name stays as it is."""
    runtimes = dict(current.get(RUNTIMES, {}))
    runtimes.setdefault(NVIDIA, NVIDIA_RUNTIME)
    return {**current, RUNTIMES: runtimes}


def with_cdi(current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings with CDI switched on, which engines before 28.2 want to be told."""
    return {**current, FEATURES: {**current.get(FEATURES, {}), "cdi": True}}


def text_of(settings: Mapping[str, Any]) -> str:
    """Return settings as the text of a daemon.json; the order of the keys is kept."""
    return json.dumps(settings, indent=4, ensure_ascii=False) + "\n"


def knows_proxies(version: str) -> bool:
    """Tell whether an engine of this version knows "proxies" in daemon.json."""
    major = version.lstrip("v").partition(".")[0]
    return major.isdecimal() and int(major) >= PROXIES_SINCE


def refusal(cause: str) -> Failure:
    """Say that the file is left alone, and how to go on."""
    return Failure(f"{PATH} was not changed", cause, messages.CORRECT_FILE(path=PATH))
