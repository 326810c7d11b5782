"""The one place that starts curl: its arguments, its configuration, the envelope of its answers.

Whatever curl brings may be forged, endless or no text at all. So its output travels as one line of
base64 under a name of ours, cut at a limit: no answer can speak for another one, and none can fill
the memory of who asked. Source: curl's manual; man base64.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections.abc import Iterable

from tasks.words.foreign import LARGEST

# The name of an envelope that has no need of one.
WEB = "web"
# No file of a user's (~/.curlrc) speaks along, no other protocol (file, gopher) is spoken, and a
# digest or a name is never taken for a pattern of several.
SAFE = ("-q", "-sS", "--proto", "=http,https", "--proto-redir", "=http,https", "--globoff")
CONNECT_SECONDS = 5
FAR_SECONDS = 8
MOST_REDIRECTS = 5
# Those of clouds have some kB.
LONGEST_TOKEN = 32768
# How each answer ends: its status, and for which URL it is.
TRAILER = r"\n#%{http_code} %{url_effective}\n"
# What an engine's socket or a server on loopback is asked by never goes through a proxy.
DIRECT = ("--noproxy", "*")
_LINE = re.compile(r"#([A-Za-z0-9][A-Za-z0-9:._-]*) ([A-Za-z0-9+/]*={0,2})")
# What may stand in curl's configuration, quoted: no quote, no backslash, no break of a line.
_VALUE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")


class Unwritable(ValueError):
    """A value that must not go into curl's configuration; its text is the cause."""


def curl_words(
    urls: Iterable[str],
    *,
    socket: str = "",
    method: str = "GET",
    timeout: float = 30,
    has_body: bool = False,
    trailer: str = TRAILER,
) -> list[str]:
    """Return the arguments of one curl.

    Each answer ends in a line "#STATUS URL", or as `trailer` says. `timeout` is in seconds for each
    URL. The body, if there is one, is read from standard input, so that no secret is in an
    argument.
    """
    words = [*SAFE, *DIRECT, "--max-time", f"{timeout:g}"]
    words += ["--connect-timeout", str(CONNECT_SECONDS)]
    words += ["-w", trailer] if trailer else []
    # With "-X HEAD" curl would wait for a body.
    words += ["-I"] if method == "HEAD" else ["-X", method]
    if socket:
        words += ["--unix-socket", socket]
    if has_body:
        words += ["-H", "Content-Type: application/json", "--data-binary", "@-"]
    return [*words, *urls]


def plain_curl(words: Iterable[str]) -> str:
    """Build a curl whose output another command of the same script reads."""
    return shlex.join(["curl", *words])


def curl(urls: Iterable[str], *, name: str = WEB, limit: int = LARGEST, **options: object) -> str:
    """Build one curl for several URLs, whose answers come in an envelope of this name.

    `limit` is in bytes for all of them; the other options are those of `curl_words`.
    """
    words = curl_words(urls, **options)  # type: ignore[arg-type]
    return enveloped(name, f"{plain_curl(words)} 2>/dev/null", limit)


def streaming(url: str, *, socket: str = "", has_body: bool = False) -> str:
    """Build a POST whose answer is followed while it comes, by whoever started it."""
    words = [*SAFE, *DIRECT, "--connect-timeout", str(CONNECT_SECONDS), "-N", "-X", "POST"]
    words += ["--unix-socket", socket] if socket else []
    words += ["--data-binary", "@-"] if has_body else []
    return plain_curl([*words, url])


def registry_words(url: str, *, timeout: float, options: Iterable[str]) -> list[str]:
    """Return the arguments of a curl that asks a registry, and follows where it leads.

    Its proxy and its token come by `configuration` on standard input. From https it is led to
    https alone.
    """
    words = [*SAFE, "-L", "--max-redirs", str(MOST_REDIRECTS), "--max-time", f"{timeout:g}"]
    if url.startswith("https:"):
        words += ["--proto-redir", "=https"]
    return [*words, "--connect-timeout", str(FAR_SECONDS), "-K", "-", *options, url]


def is_token(text: str) -> bool:
    """Tell whether a registry's token is one: it goes into curl's configuration."""
    return bool(_TOKEN.fullmatch(text)) and len(text) <= LONGEST_TOKEN


def configuration(*, token: str = "", proxy: str = "", no_proxy: str = "", ca: str = "") -> str:
    """Return the configuration that curl reads on standard input (-K -): what is secret in it.

    Raises Unwritable where a value could be more than a value there.
    """
    if token and not is_token(token):
        raise Unwritable("the token of the registry has characters that no token has")
    values = {"proxy": proxy, "noproxy": no_proxy, "cacert": ca}
    lines = [f'header = "Authorization: Bearer {token}"'] if token else []
    for name, value in values.items():
        if value and not _VALUE.fullmatch(value.replace(" ", "")):
            raise Unwritable(f"the value for curl's {name} has a quote or a control character")
        lines += [f'{name} = "{value}"'] if value else []
    return "\n".join(lines) + "\n"


def enveloped(name: str, command: str, limit: int = LARGEST) -> str:
    """Let a command's output come as one line "#NAME BASE64", of at most `limit` bytes of it."""
    return f"{{ printf '#{name} '; {command} | head -c {limit} | base64 -w0; echo; }}"


def opened(output: str) -> list[tuple[str, bytes]]:
    """Return what came in envelopes, by name, in their order; other lines are left out."""
    found = []
    for line in output.split("\n"):
        match = _LINE.fullmatch(line.strip("\r"))
        if match is None:
            continue
        try:
            found.append((match[1], base64.b64decode(match[2], validate=True)))
        except binascii.Error:
            # Cut off on its way: what was in it is not known.
            continue
    return found
