"""Secrets taken out of whatever is written for others to read: logs, bundles. Pure.

Two nets, one behind the other: what the declaration or a container holds as a secret is removed
wherever it stands and however it is spelt; and what looks like a secret is removed though nobody
declared it.
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, unquote

from tasks.words.secrets import MASK
from tasks.words.secrets.names import sounds_secret, strength
from tasks.words.secrets.shapes import without_secrets
from tasks.words.secrets.variables import ADDRESSES, VARIABLES, is_private

__all__ = ["MASK", "Scrubber", "scrubber_for", "secrets_in"]
# A value of a private variable may be anything ("1"): shorter ones go only where they stand.
SHORT, SHORT_SECRET = 6, 4
# Values that stand under the names of secrets without being any: in other texts they are words.
WORDS = re.compile(
    "true|false|none|null|auto|basic|bearer|digest|default|disabled|enabled|required|optional"
    "|local|localhost|ollama|docker|password|passwd|secret|token|changeme"
)
# Keys under which the table of a secret holds it.
HOLDING = ("value", "data", "default", "content", "plain", "raw", "text")
# A name and a value as two entries of a table: {"name": "HF_TOKEN", "value": "…"}.
NAMING = ("name", "key", "variable")
_WHOLE_USERINFO = re.compile(r"://(.*)@", re.DOTALL)


@dataclass(frozen=True)
class Scrubber:
    """Takes secrets out; `known` are those to remove in any spelling, with what looks like one."""

    known: frozenset[str] = frozenset()

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        for spelling in self._spellings:
            text = text.replace(spelling, MASK)
        return without_secrets(text)

    def value(self, value: Any, name: str = "") -> Any:
        """Return a value of JSON or TOML without secrets: by the names of its keys, and as text."""
        if strength(name):
            return MASK if value else value
        if name == VARIABLES and not isinstance(value, Mapping):
            return MASK if value else value
        if isinstance(value, Mapping):
            if name == VARIABLES:
                return {self.text(k): self._variable(k, str(v)) for k, v in value.items()}
            named = _named(value)
            return {
                self.text(str(k)): self.value(v, named.get(k, str(k))) for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.value(v, name) for v in value]
        if not isinstance(value, str):
            return MASK if str(value) in self.known else value
        if name == "Env" and "=" in value:
            variable, _, held = value.partition("=")
            return f"{self.text(variable)}={self._variable(variable, held)}"
        return self.text(value)

    def _variable(self, name: str, value: str) -> str:
        return MASK if value and is_private(name) else self.text(value)

    @cached_property
    def _spellings(self) -> list[str]:
        """Return every known secret in every spelling, the longest first."""
        found = {spelling for secret in self.known for spelling in _spellings(secret)}
        return sorted(found - {""}, key=len, reverse=True)


def _named(table: Mapping[Any, Any]) -> dict[Any, str]:
    """Return under which name the values of such a table count that names its value itself."""
    name = next((str(table[key]) for key in NAMING if key in table), "")
    return dict.fromkeys(HOLDING, name) if strength(name) else {}


def _spellings(secret: str) -> Iterator[str]:
    """Yield a secret as files, URLs, JSON, shells and headers spell it."""
    yield secret
    yield unquote(secret)
    for safe in ("", "/", "!$&'()*+,;=:"):
        quoted = quote(secret, safe=safe, errors="replace")
        yield quoted
        yield re.sub("%..", lambda match: match[0].lower(), quoted)
    for is_ascii in (True, False):
        once = json.dumps(secret, ensure_ascii=is_ascii)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=is_ascii)[1:-1]
    yield repr(secret)[1:-1]
    yield secret.replace("'", "'\"'\"'")
    yield html.escape(secret)
    # Its last digits depend on what follows, so they are left out with the padding.
    encoded = secret.encode(errors="replace")
    yield base64.b64encode(encoded).decode().rstrip("=")
    yield base64.urlsafe_b64encode(encoded).decode().rstrip("=")
    yield from (line for line in secret.splitlines() if len(line) >= SHORT)


def secrets_in(value: Any, name: str = "") -> Iterator[str]:
    """Find what a declaration (valid or not) or the engine's answer holds as a secret."""
    if isinstance(value, Mapping):
        named = _named(value)
        for key, held in value.items():
            if name == VARIABLES:
                yield from _secret_variable(str(key), str(held))
            else:
                # {"apiKey": {"value": "…"}}: the table has the name of the secret.
                is_held = key in HOLDING and strength(name)
                yield from secrets_in(held, named.get(key, name if is_held else str(key)))
    elif isinstance(value, list | tuple):
        for held in value:
            yield from secrets_in(held, name)
    elif isinstance(value, str):
        yield from _secret_text(name, value)


def _secret_text(name: str, value: str) -> Iterator[str]:
    yield from _userinfo(name, value)
    if name == "Env":
        variable, _, held = value.partition("=")
        yield from _userinfo(variable, held)
        # What an image brings (PATH, HOME) is private by its name only.
        if sounds_secret(variable) and _is_told(held, SHORT_SECRET):
            yield held
    elif (strength(name) and _is_told(value, SHORT_SECRET)) or (
        # An invalid declaration: it should be a table of variables.
        name == VARIABLES and len(value) >= SHORT
    ):
        yield value


def _is_told(value: str, least: int) -> bool:
    """Tell whether a value is one that may be removed from every text."""
    return len(value) >= least and not WORDS.fullmatch(value.lower())


def _secret_variable(name: str, value: str) -> Iterator[str]:
    least = SHORT_SECRET if sounds_secret(name) else SHORT
    if is_private(name) and _is_told(value, least):
        yield value
    yield from _userinfo(name, value)


def _userinfo(name: str, value: str) -> Iterator[str]:
    """Yield user and password of a URL, together and the password alone, spelt and unspelt."""
    if name.lower().replace("-", "_").endswith(ADDRESSES) and "://" not in value:
        value = f"://{value}"
    for match in _WHOLE_USERINFO.finditer(value):
        both, (user, _, password) = match[1], match[1].partition(":")
        for text in {both, f"{unquote(user)}:{unquote(password)}"} if password else ():
            if len(text) >= SHORT:
                yield text
        for text in {password or user, unquote(password or user)}:
            if len(text) >= SHORT_SECRET:
                yield text


def scrubber_for(*values: Any) -> Scrubber:
    """Return a scrubber that knows the secrets of these declarations or answers."""
    found: Iterable[str] = (secret for value in values for secret in secrets_in(value))
    return Scrubber(frozenset(found))
