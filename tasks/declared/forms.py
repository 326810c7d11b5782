"""Forms of declared values that go into other programs' languages: what is known is listed."""

from __future__ import annotations

import re

from tasks.declared import messages
from tasks.words.plain import plain

_HOST = r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)"
_PORT = r"(:[0-9]{1,5})?"
# RFC 3986, 3.2.1, without the quote that it allows; any other character is written as %XX.
_USER = r"([A-Za-z0-9._~!$&()*+,;=:-]|%[0-9A-Fa-f]{2})+@"
_PROXY = re.compile(rf"https?://({_USER})?{_HOST}{_PORT}/?")
_PATH = re.compile(r"/[\w ./@+=~()-]*")
# A host, a domain (.corp.lan, *.corp.lan), an address or a network, with a port or not; or "*".
_UNPROXIED = re.compile(r"[A-Za-z0-9.*_:\[\]-]+(/[0-9]{1,3})?")


def proxy(value: str) -> str:
    """Check the URL of a proxy. Raises ValueError, as all of these do."""
    if value and not _PROXY.fullmatch(value):
        raise ValueError(messages.NOT_A_PROXY())
    return value


def unproxied(value: str) -> str:
    """Check the hosts that are reached without a proxy: separated by commas."""
    if value and not all(_UNPROXIED.fullmatch(one.strip(" ")) for one in value.split(",")):
        raise ValueError(messages.NOT_UNPROXIED())
    return value


def absolute_path(value: str) -> str:
    """Check the path of a file on the host."""
    if value and not value.startswith("/"):
        raise ValueError(messages.NOT_ABSOLUTE())
    if value and not _PATH.fullmatch(plain(value)):
        raise ValueError(messages.NOT_A_PATH())
    return value
