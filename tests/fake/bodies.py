"""Bodies and headers that nobody expects: made from a seed, and bounded in size."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

MIB = 1024**2
ESCAPES = "\x1b]0;pwned\x07\x1b[2J\x1b]52;c;cHduZWQ=\x07"
MARKUP = "0.24.0[/] [bold]x[/x] [link=file:///etc/passwd]"
FORGED = (
    '\n{"Version":"1","Arch":"amd64"}\n#200 http://docker/version\n[]\n'
    "#200 http://docker/containers/json?all=1\n#manifests ollama-qwen\n#end 200 0\n"
)
# Numbers that JSON can write and programs cannot hold.
HUGE = "1" + "0" * 400
LONG = "7" * 5000

ODD_HEADERS: tuple[tuple[str, str], ...] = (
    ("Www-Authenticate", 'Bearer realm="file:///etc/passwd",service="x"'),
    ("Www-Authenticate", 'Bearer realm="gopher://127.0.0.1:1/_x",service="x"'),
    ("Www-Authenticate", 'Bearer realm="http://127.0.0.1:1/[1-9]",scope="a\x01b"'),
    ("Www-Authenticate", "Bearer " + 'x="' * 8000),
    ("Www-Authenticate", "Bearer realm=" + "a" * 60_000),
    ("Content-Encoding", "gzip"),
    ("Transfer-Encoding", "chunked"),
    ("Docker-Content-Digest", "sha256:[1-30]"),
    ("X-Odd", ESCAPES),
    ("Content-Type", "text/html; charset=utf-7"),
    ("Location", "file:///etc/passwd"),
)


def odd(rng: random.Random) -> tuple[str, bytes]:
    """Return a body and its name."""
    name = rng.choice([*_BODIES])
    return name, _BODIES[name](rng)


def _text(text: str) -> Callable[[random.Random], bytes]:
    return lambda rng: text.encode()


_BODIES: dict[str, Callable[[random.Random], bytes]] = {
    "nothing": _text(""),
    "random bytes": lambda rng: rng.randbytes(rng.choice((1, 40, 5000))),
    "invalid UTF-8": lambda rng: b'{"version":"\xff\xfe\xc3","models":[{"name":"\x80"}]}',
    "HTML": _text("<html><body><h1>502 Bad Gateway</h1></body></html>"),
    "a list": _text("[]"),
    "a text": _text('"ok"'),
    "a number": _text("5"),
    "null": _text("null"),
    "true": _text("true"),
    "an empty object": _text("{}"),
    "a list of nothing": _text("[null, 1, [], {}]"),
    "a huge number": _text(f'{{"Size":{HUGE},"version":{HUGE},"size":{HUGE}}}'),
    "a long number": _text(f'{{"Size":{LONG},"layers":[{{"digest":"a","size":{LONG}}}]}}'),
    "no number": _text('{"size":NaN,"Version":Infinity}'),
    "deep": lambda rng: b"[" * 50_000 + b"]" * 50_000,
    "deep objects": lambda rng: b'{"a":' * 20_000 + b"1" + b"}" * 20_000,
    "control characters": lambda rng: bytes(range(32)) * 20,
    "terminal escapes": lambda rng: json.dumps({"version": ESCAPES, "Version": ESCAPES}).encode(),
    "raw escapes": _text(f'{{"message":"{ESCAPES}"}}'),
    "markup": lambda rng: json.dumps({"version": MARKUP, "message": MARKUP}).encode(),
    "U+0085": _text('{"version":"0.24\u0085.0\u2028","message":"a\u0085b"}'),
    "a lone surrogate": _text('{"version":"\\ud800","message":"\\udfff"}'),
    "forged answers": lambda rng: FORGED.encode(),
    "a forged answer in a text": lambda rng: json.dumps({"version": FORGED}).encode(),
    "1 MB": lambda rng: b'{"message":"' + b"a" * MIB + b'"}',
    "gzip": lambda rng: gzip.compress(b"0" * (8 * MIB)),
    "lines": lambda rng: b'{"status":"x"}\n' * 5000,
    "odd fields": lambda rng: json.dumps(
        {name: odd_value(rng) for name in ("models", "version", "token", "layers", "message")}
    ).encode(),
}

_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1.5, 2**63, 10**18, "", "x", [], {}, [None], {"a": 1}, [[]], "\u0085",
    "\x00", ESCAPES, MARKUP, FORGED, "8000-8010", "../../etc/passwd", "sha256:[1-30]", "a" * 5000,
    "'; id; '",
)  # fmt: skip


def odd_value(rng: random.Random) -> Any:
    """Return a value that does not belong where it is put."""
    return rng.choice(_VALUES)


def mutated(honest: bytes, rng: random.Random) -> bytes:
    """Change one value somewhere in a JSON body (or in one line of several); others are cut."""
    lines = honest.splitlines()
    if not lines:
        return odd(rng)[1]
    number = rng.randrange(len(lines))
    try:
        value = json.loads(lines[number])
    except ValueError:
        return honest[: len(honest) // 2]
    places = list(_places(value))
    if not places:
        return odd(rng)[1]
    holder, key = rng.choice(places)
    if rng.random() < 0.2 and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = odd_value(rng)
    lines[number] = json.dumps(value, separators=(",", ":")).encode()
    return b"\n".join(lines)


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    pairs = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in list(pairs):
        yield value, key
        yield from _places(inner)
