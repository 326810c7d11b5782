"""Where settings come from: defaults, groups, hosts, stack.toml and the command line.

A layer is a source with a name that a person knows and the raw settings that it holds. Later
layers win, key by key. Nothing here judges a value: `tasks.declared.stack` does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from runpy import run_path
from types import ModuleType
from typing import Any

from tasks.declared import messages
from tasks.words.failures import Failure
from tasks.words.foreign import BadAnswer
from tasks.words.format_version import Format, NewerFormatError
from tasks.words.messages import Text
from tasks.words.printable import printable
from tasks.words.toml import read_toml

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = "group_data/all.py"
RUN_OPTIONS_SOURCE = "--data"
# The version of stack.toml, which no other layer has; a setting that is renamed is migrated here.
SETTINGS = Format("settings_version", oldest=1)
# What pyinfra itself reads from group and host data; never a setting of ours.
CONNECTOR_PREFIXES = ("ssh_", "_")
CONNECTOR_KEYS = frozenset(
    {"docker_identifier", "docker_platform", "docker_architecture", "chroot_directory"}
)


@dataclass(frozen=True)
class Layer:
    """One source of settings, such as stack.toml."""

    source: str
    values: Mapping[str, Any]


@dataclass
class Merged:
    """All layers merged: the values, where each came from, and what could not be read.

    `sources` maps a dotted path ("models.qwen.port") to the source of its value.
    """

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    faults: list[Failure] = field(default_factory=list)

    def source_of(self, path: str) -> str:
        """Name the source of a setting; of the nearest parent where it has none of its own."""
        while path not in self.sources and "." in path:
            path = path.rpartition(".")[0]
        return self.sources.get(path, DEFAULTS)


def fault(source: str, path: str, cause: Text) -> Failure:
    """Return what is wrong with a setting of a source, by its dotted path."""
    return _of_file(f"{source}: {path}", cause)


def _of_file(source: str, cause: Text) -> Failure:
    return Failure(source, cause, messages.MEND_SETTINGS())


def merge(layers: Iterable[Layer]) -> Merged:
    """Merge layers, the last one wins; the tables of services are merged key by key."""
    merged = Merged()
    for layer in layers:
        for key, value in layer.values.items():
            if key.startswith(CONNECTOR_PREFIXES) or key in CONNECTOR_KEYS:
                continue
            if key in ("models", "models_override"):
                _merge_services(merged, layer.source, key, value, replace=layer.source == DEFAULTS)
            elif key == "roles" and isinstance(value, Mapping):
                _merge_roles(merged, layer.source, value)
            else:
                merged.values[key] = value
                merged.sources[key] = layer.source
    return merged


def _merge_services(merged: Merged, source: str, key: str, tables: Any, replace: bool) -> None:
    if not isinstance(tables, Mapping):
        merged.faults.append(fault(source, key, messages.NOT_TABLES()))
        return
    services: dict[str, Any] = {} if replace else merged.values.get("models", {})
    if key == "models":
        merged.values["models"] = services
    else:
        services = merged.values.setdefault("models", {})
    for name, table in tables.items():
        if not isinstance(table, Mapping):
            merged.faults.append(fault(source, f"{key}.{name}", messages.NOT_A_TABLE()))
            continue
        merged.sources.setdefault(f"models.{name}", source)
        service = services[name] = dict(services.get(name, {}))
        for setting, value in table.items():
            path = f"models.{name}.{setting}"
            merged.sources[path] = source
            if setting == "environment" and isinstance(value, Mapping):
                service[setting] = {**service.get(setting, {}), **value}
                merged.sources.update({f"{path}.{variable}": source for variable in value})
            else:
                service[setting] = value


def _merge_roles(merged: Merged, source: str, tables: Mapping[str, Any]) -> None:
    before = merged.values.get("roles")
    roles = merged.values["roles"] = dict(before) if isinstance(before, Mapping) else {}
    for name, table in tables.items():
        merged.sources[f"roles.{name}"] = source
        known = roles.get(name)
        if isinstance(table, Mapping) and isinstance(known, Mapping):
            roles[name] = {**known, **table}
            merged.sources.update({f"roles.{name}.{key}": source for key in table})
        else:
            roles[name] = table


def python_settings(values: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what pyinfra keeps of a group_data file: no modules, callables or private names."""
    return {
        key: value
        for key, value in values.items()
        if not key.startswith("_") and not callable(value) and not isinstance(value, ModuleType)
    }


def stack_file() -> Path:
    """Return the stack.toml of this installation; STACK_FILE names another one."""
    return Path(os.environ.get("STACK_FILE") or ROOT / "stack.toml")


def toml_layer(path: Path) -> tuple[Layer, list[Failure]]:
    """Read stack.toml. Returns its layer (empty where there is no file) and its faults."""
    source = _shown(path)
    try:
        return _of_today(Layer(source, read_toml(path)))
    except FileNotFoundError:
        if os.environ.get("STACK_FILE"):
            return Layer(source, {}), [_of_file(source, messages.NO_FILE())]
        return Layer(source, {}), []
    except BadAnswer as error:
        return Layer(source, {}), [_of_file(source, messages.NO_TOML(words=printable(error)))]
    except (OSError, ValueError) as error:
        # A NUL in a path is a ValueError.
        words = error.strerror if isinstance(error, OSError) else error
        remedy = messages.MEND_RIGHTS()
        cause = messages.UNREADABLE(words=str(words), remedy=remedy)
        return Layer(source, {}), [Failure(source, cause, remedy)]


def _of_today(layer: Layer) -> tuple[Layer, list[Failure]]:
    """Return the layer of a stack.toml, whatever its version, without that; and its faults."""
    try:
        values = dict(SETTINGS.migrated(layer.values))
    except NewerFormatError as error:
        remedy = messages.UPDATE()
        cause = messages.NEWER(words=str(error), remedy=remedy)
        return Layer(layer.source, {}), [Failure(layer.source, cause, remedy)]
    except ValueError as error:
        return Layer(layer.source, {}), [
            _of_file(layer.source, messages.NO_VERSION(words=str(error)))
        ]
    del values[SETTINGS.key]
    return Layer(layer.source, values), []


def defaults_layer() -> Layer:
    """Read group_data/all.py without pyinfra."""
    return Layer(DEFAULTS, python_settings(run_path(str(ROOT / DEFAULTS))))


def local_layers() -> Merged:
    """Merge what holds for this machine without pyinfra: the defaults and stack.toml."""
    layer, faults = toml_layer(stack_file())
    merged = merge([defaults_layer(), layer])
    merged.faults[:0] = faults
    return merged


def _shown(path: Path) -> str:
    """Return a path as a person would type it from the root of the project."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def rooted(path: str) -> Path:
    """Return a path of the declaration; relative ones count from the root of the project."""
    return ROOT / path
