"""Credentials of HTTP: in requests, in the words of curl, in JSON and in logs."""

from __future__ import annotations

import base64
import binascii
import re

from tasks.words.secrets.values import NOTHING, Find, Span, line_span, value_span

_FIELD = re.compile(
    r"(?i)(?<![a-z])((?:proxy-)?authorization|(?:set-)?cookie2?)"
    r"(?:(\\{0,8}[\"'`])\]?[ \t]*(?:=>|[:=,])[ \t]*|[ \t]*[:=][ \t]*)"
)
# A line's end, also as it is written within JSON.
_BREAK = re.compile(r"\\[rn]")
_SCHEME = re.compile(
    r"(?i)\b(bearer|basic|negotiate|apikey)(?:[ \t]+|%20)"
    r"(?!(?:tokens?|auth\w*|realm|error|scheme|challenge|service|scope)\b)([\w.~+/=-]{6,})"
)


def _field(found: re.Match[str]) -> Span:
    """Take a quoted value, or all up to the quote that began before the name, or the line."""
    text, at = found.string, found.end()
    before = text[found.start() - 1 : found.start()]
    if found[2] or text[at : at + 1] in ('"', "'", "`", "\\"):
        return value_span(text, at)
    if before in ('"', "'", "`"):
        close = text.find(before, at)
        if close >= 0 and text.find("\n", at, close) < 0:
            return at, close - (text[close - 1] == "\\")
    _, end = line_span(text, at)
    escaped = _BREAK.search(text, at, end)
    return at, escaped.start() if escaped else end


def _scheme(found: re.Match[str]) -> Span:
    is_basic = found[1].lower() == "basic"
    return NOTHING if is_basic and not _holds_pair(found[2]) else found.span(2)


def _holds_pair(encoded: str) -> bool:
    """Tell whether this is "user:password" in base64; words of a sentence are not."""
    digits = encoded.rstrip("=")
    try:
        return b":" in base64.b64decode(digits + "=" * (-len(digits) % 4), altchars=b"-_")
    except (binascii.Error, ValueError):
        return any(c.isdigit() for c in digits) and digits.isalnum()


HEADERS: tuple[tuple[re.Pattern[str], Find], ...] = ((_FIELD, _field), (_SCHEME, _scheme))
