"""Secrets taken out of whatever is written for others to read: logs, bundles. Pure.

Two nets, one behind the other: what the declaration or a container holds as a secret is removed
wherever it stands and however it is spelt; and what looks like a secret is removed though nobody
declared it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from tasks.ollama.spec import is_private, sounds_secret

MASK = "…"
# A value of a private variable may be anything ("1"): shorter ones go only where they stand.
SHORT, SHORT_SECRET = 6, 4
# Settings that are addresses; one without "http://" may hold a password as well.
ADDRESSES = ("_proxy", "_mirror", "_registry", "_url")
# Public, though their names sound secret.
PUBLIC = ("docker_apt_key", "toolkit_apt_key")
_USERINFO = re.compile(r"(?<=://)[^/\s\"'<>]*(?=@)")
_WHOLE_USERINFO = re.compile(r"://(.*)@", re.DOTALL)
_VALUE = r"(?:\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s,;&\"'}\])]+)"
# What a name has that sounds secret, within the length that names have, not that of a whole file.
# "tokens", "tokenizer" and such are about language models.
_NAME = (
    r"[\w.-]{0,64}(?:api-?key|(?<![a-z])key|_key|secret|passw(?:or)?d|passphrase|credential"
    r"|(?<![a-z])(?:pass|pwd?|passwd)(?![a-z])"
    r"|(?<![a-z])auth(?!or)|token(?!s\b|s_|iz|_embd|_count|_type))[\w.-]{0,64}"
)
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)", re.DOTALL),
        MASK,
    ),
    (_USERINFO, MASK),
    # A proxy's address needs no "http://".
    (re.compile(r"(?i)(_proxy\\?[\"']?\s*[=:]\s*\\?[\"']?)[^/\s\"'<>]{1,500}(?=@)"), rf"\1{MASK}"),
    (
        re.compile(
            r"(?i)((?:proxy-)?authorization|(?:set-)?cookie)(\\?[\"']?\s*[:=]\s*\\?[\"']?)"
            r"[^\r\n\"'\\]+"
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[\w.~+/=-]{6,}"), rf"\1\2{MASK}"),
    (
        re.compile(
            r"\b(?:sk|pk|rk)-[^\s\"'<>,;)\]}]{6,}|\bhf_\w{6,}|\bgh[opsur]_\w{6,}|\bgithub_pat_\w{6,}"
            r"|\bglpat-[\w-]{6,}|\bnvapi-[\w-]{6,}|\bxox[a-z]-[\w-]{6,}|\bAKIA[0-9A-Z]{12,}"
            r"|\bAIza[\w-]{20,}|\beyJ[\w-]{6,}\.[\w-]+\.[\w-]*"
        ),
        MASK,
    ),
    (
        re.compile(
            rf"(?i)(?<![\w.-])((?!(?:{'|'.join(PUBLIC)})\b){_NAME})"
            rf"(\\?[\"']?\s*(?:=|:|\bis\b)\s*){_VALUE}"
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(rf"(?i)(?<!\S)(--?{_NAME})(\s+){_VALUE}"), rf"\1\2{MASK}"),
)


@dataclass(frozen=True)
class Scrubber:
    """Takes secrets out; `known` are those to remove in any spelling, with what looks like one."""

    known: frozenset[str] = frozenset()

    def text(self, text: str) -> str:
        """Return a text without secrets."""
        for spelling in self._spellings():
            text = text.replace(spelling, MASK)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def value(self, value: Any, name: str = "") -> Any:
        """Return a value of JSON or TOML without secrets: by the names of its keys, and as text."""
        if _is_secret_name(name):
            return MASK if value else value
        if name == "environment" and not isinstance(value, Mapping):
            return MASK if value else value
        if isinstance(value, Mapping):
            if name == "environment":
                return {self.text(k): self._variable(k, str(v)) for k, v in value.items()}
            return {self.text(str(k)): self.value(v, str(k)) for k, v in value.items()}
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

    def _spellings(self) -> list[str]:
        """Return every known secret in every spelling, the longest first."""
        found = {spelling for secret in self.known for spelling in _spellings(secret)}
        return sorted(found - {""}, key=len, reverse=True)


def _is_secret_name(name: str) -> bool:
    return sounds_secret(name) and name not in PUBLIC and bool(re.fullmatch(f"(?i){_NAME}", name))


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
    # Its last digits depend on what follows, so they are left out with the padding.
    yield base64.b64encode(secret.encode(errors="replace")).decode().rstrip("=")
    yield from (line for line in secret.splitlines() if len(line) >= SHORT)


def secrets_in(value: Any, name: str = "") -> Iterator[str]:
    """Find what a declaration (valid or not) or the engine's answer holds as a secret."""
    if isinstance(value, Mapping):
        for key, held in value.items():
            if name == "environment":
                yield from _secret_variable(str(key), str(held))
            else:
                yield from secrets_in(held, str(key))
    elif isinstance(value, list | tuple):
        for held in value:
            yield from secrets_in(held, name)
    elif isinstance(value, str):
        yield from _userinfo(name, value)
        if name == "Env":
            variable, _, held = value.partition("=")
            yield from _userinfo(variable, held)
            # What an image brings (PATH, HOME) is private by its name only.
            if sounds_secret(variable) and len(held) >= SHORT_SECRET:
                yield held
        elif (_is_secret_name(name) and len(value) >= SHORT_SECRET) or (
            # An invalid declaration: it should be a table of variables.
            name == "environment" and len(value) >= SHORT
        ):
            yield value


def _secret_variable(name: str, value: str) -> Iterator[str]:
    least = SHORT_SECRET if sounds_secret(name) else SHORT
    if is_private(name) and len(value) >= least:
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
