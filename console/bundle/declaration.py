"""The declaration in a bundle: every value with its source, and stack.toml, without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from console.bundle.place import NotThere, Place
from console.bundle.unparsed import without_values
from tasks.declared.layers import stack_file
from tasks.declared.stack import Service, Stack
from tasks.records.scrub import MASK
from tasks.words.foreign import BadAnswer
from tasks.words.printable import printable
from tasks.words.toml import parse_toml


def settings(place: Place) -> dict[str, Any]:
    """Return every setting with its source: validated, or as it is written where it is invalid."""
    stack = place.stack
    if stack is None:
        values = with_known_keys(place.merged.values)
        services = values.pop("models", {})
    else:
        values = stack.model_dump(exclude={"services", "options"}, mode="json")
        dumped = (s.model_dump(mode="json") for s in stack.services)
        services = {table.pop("name"): table for table in dumped}
    found = {key: _sourced(place, key, key, value) for key, value in values.items()}
    for name, table in services.items():
        for key, value in table.items() if isinstance(table, Mapping) else ():
            path = f"models.{name}.{key}"
            # What a service does not set itself it has from the setting of all.
            is_own = path in place.merged.sources or key not in place.merged.sources
            found[path] = _sourced(place, path if is_own else key, key, value)
    return {"is_valid": stack is not None, "settings": found}


def _sourced(place: Place, path: str, key: str, value: Any) -> dict[str, Any]:
    return {"value": place.scrubber.value(value, key), "from": place.merged.source_of(path)}


def with_known_keys(values: Mapping[str, Any]) -> dict[str, Any]:
    """Mask the values of settings that do not exist: a misspelt one may hold a secret."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if key in ("models", "models_override") and isinstance(value, Mapping):
            found[key] = {
                name: _known(table, Service.model_fields) for name, table in value.items()
            }
        else:
            found |= _known({key: value}, Stack.model_fields)
    return found


def _known(table: Any, keys: Mapping[str, Any]) -> Any:
    if not isinstance(table, Mapping):
        return MASK
    return {key: value if key in keys else MASK for key, value in table.items()}


def stack_toml(place: Place) -> str:
    """Return stack.toml without comments and without secrets. Raises NotThere."""
    import tomlkit  # noqa: PLC0415 (only here)

    if not stack_file().exists():
        raise NotThere(f"there is no {stack_file()}: the defaults hold")
    if not stack_file().is_file():
        raise NotThere(f"{stack_file()} is no file")
    text = stack_file().read_text(encoding="utf-8", errors="replace")
    try:
        return tomlkit.dumps(place.scrubber.value(with_known_keys(parse_toml(text))))
    except BadAnswer as error:
        return f"# it {printable(error)}; values are left out\n{without_values(text)}"
