"""The shapes in which files, commands and logs hold secrets, and the function that masks them."""

from __future__ import annotations

import re

from tasks.words.secrets import MASK
from tasks.words.secrets.commands import COMMANDS
from tasks.words.secrets.headers import HEADERS
from tasks.words.secrets.named import NAMED
from tasks.words.secrets.tokens import BLOCK, BLOCK_END, PUTTY, PUTTY_END, TOKENS
from tasks.words.secrets.values import Find, Span

# User and password before a host. A path may hold an "@" as well, a port is a number.
_USERINFO = re.compile(
    r"(?<=://)(?:[^/\s\"'<>]*"
    r"|[^\s\"'<>:@/\[]+:(?!\d+(?:/|\s|\Z))(?:[^\s\"'<>@/]|/(?!/))*)(?=@)"
)
# An address needs no "http://" everywhere; "name@sha256:…" is an image.
_ADDRESS = re.compile(
    r"(?i)(?:(?<![a-z])proxy|[_-](?:mirror|registry|url))"
    r"(?:\\{0,8}[\"']?\s{0,8}[=:]\s{0,8}\\{0,8}[\"']?|[ \t]{1,8}[\"']?(?=[^/\s\"'<>@:]{1,100}:))"
    r"([^/\s\"'<>]{1,500})(?=@(?!sha256:))"
)
# Go's: user:password@tcp(host)/database.
_DSN = re.compile(r"(?<![\w.-])[\w.-]++:([^\s@/\"':]++)(?=@(?:tcp|udp|unix)\()")
# netrc, in one line or over several, and in both orders.
_NETRC = re.compile(
    r"(?i)\b(?:login\s{1,40}\S+\s{1,40}(?:account\s{1,40}\S+\s{1,40})?"
    r"|machine\s{1,40}\S+\s{1,40}|default\s{1,40})passw(?:or)?d\s{1,40}(\S+)"
)
# host:port:database:user:password
_PGPASS = re.compile(
    r"(?m)^[ \t]*(?=[^:\n]{0,128}[g-zG-Z.*/])[\w.*/-]++:(?:\d{1,5}|\*):[\w*$.-]++:"
    r"[A-Za-z_*][\w.@-]*+:((?:[^:\s\\]|\\.)++)[ \t]*$"
)


def without_secrets(text: str) -> str:
    """Return a text without whatever looks like a secret."""
    for head, find in _SHAPES:
        text = _masked(text, head, find)
    return text


def _masked(text: str, head: re.Pattern[str], find: Find) -> str:
    kept, done, look = [], 0, 0
    while found := head.search(text, look):
        begin, end = find(found)
        if begin < end:
            kept += [text[done:begin], MASK]
            done = end
        # Behind what was read: nothing is read again.
        look = max(end, found.end(), found.start() + 1)
    return "".join([*kept, text[done:]])


def _up_to(last: re.Pattern[str]) -> Find:
    """All up to an end; a block that was cut off goes to the end of the text."""

    def find(found: re.Match[str]) -> Span:
        end = last.search(found.string, found.end())
        return found.start(), end.end() if end else len(found.string)

    return find


def _all(found: re.Match[str]) -> Span:
    return found.span(found.lastindex or 0)


_SHAPES: tuple[tuple[re.Pattern[str], Find], ...] = (
    (BLOCK, _up_to(BLOCK_END)),
    (PUTTY, _up_to(PUTTY_END)),
    (_USERINFO, _all),
    (_ADDRESS, _all),
    (_DSN, _all),
    *HEADERS,
    (TOKENS, _all),
    (_NETRC, _all),
    (_PGPASS, _all),
    *COMMANDS,
    *NAMED,
)
