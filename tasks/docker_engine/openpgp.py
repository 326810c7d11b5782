"""Fingerprints of OpenPGP keys, so that a key can be checked on hosts without gpg.

Source: RFC 4880, sections 4.2 (packets), 6.2 (ASCII armour) and 12.2 (fingerprints of version 4).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator

PUBLIC_KEY = 6
_BEGIN = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_END = "-----END PGP PUBLIC KEY BLOCK-----"


class NotAKey(Exception):
    """The text is no armoured public key that this module can read."""


def fingerprints(armoured: str) -> list[str]:
    """Return the fingerprints of all primary keys in an armoured key file. Raises NotAKey.

    All of them: apt trusts every key of a file, not only the first.
    """
    found = []
    for data in _blocks(armoured):
        for tag, body in _packets(data):
            if tag != PUBLIC_KEY:
                continue
            if body[:1] != b"\x04":
                raise NotAKey("a key of a version that is not 4")
            framed = b"\x99" + len(body).to_bytes(2, "big") + body
            found.append(hashlib.sha1(framed, usedforsecurity=False).hexdigest().upper())
    if not found:
        raise NotAKey("no public key in it")
    return found


def _blocks(armoured: str) -> Iterator[bytes]:
    lines: list[str] | None = None
    for line in (line.strip() for line in armoured.splitlines()):
        if line == _BEGIN:
            lines = []
        elif line == _END and lines is not None:
            yield _decode(lines)
            lines = None
        elif lines is not None:
            lines.append(line)
    if lines is not None:
        raise NotAKey("the key block has no end")


def _decode(lines: list[str]) -> bytes:
    """Decode a block's base64, without its headers ("Version: …") and checksum ("=abcd")."""
    data = [line for line in lines if line and ":" not in line and not line.startswith("=")]
    try:
        return base64.b64decode("".join(data), validate=True)
    except binascii.Error:
        raise NotAKey("its base64 is damaged") from None


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        try:
            tag, length, start = _header(data, position)
        except IndexError:
            raise NotAKey("a packet is cut off") from None
        body = data[start : start + length]
        if len(body) != length:
            raise NotAKey("a packet is cut off")
        yield tag, body
        position = start + length


def _header(data: bytes, position: int) -> tuple[int, int, int]:
    """Return tag and length of the packet at `position`, and where its body starts."""
    first = data[position]
    if not first & 0x80:
        raise NotAKey("it does not hold packets")
    if first & 0x40:
        return first & 0x3F, *_new_length(data, position + 1)
    size = (1, 2, 4, 0)[first & 0x03]
    if not size:
        raise NotAKey("a packet of unknown length")
    raw = data[position + 1 : position + 1 + size]
    if len(raw) != size:
        raise IndexError
    return (first & 0x3C) >> 2, int.from_bytes(raw, "big"), position + 1 + size


def _new_length(data: bytes, position: int) -> tuple[int, int]:
    first = data[position]
    if first < 192:
        return first, position + 1
    if first < 224:
        return ((first - 192) << 8) + data[position + 1] + 192, position + 2
    if first < 255:
        raise NotAKey("a packet in parts")
    if position + 5 > len(data):
        raise IndexError
    return int.from_bytes(data[position + 1 : position + 5], "big"), position + 5
